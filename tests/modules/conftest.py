"""Real digits, their Transform graph, both formats of fresh parameters, and a small training."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from jax.experimental.compilation_cache import compilation_cache

from data.files import PROJECT_ROOT
from modules import features
from modules.export import recipes, saved_model, tflite
from modules.export.trained import Trained
from tests.support import digit_models as digits
from tests.support.digit_models import DigitModels
from tests.support.networks.exports import Exports

Analyze = Callable[[np.ndarray, Path], tft.TFTransformOutput]


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Has each program compiled once in the session, and kept for the processes that tests start.

    To compile a training takes longer than to run a small one.
    """
    settings = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    with pytest.MonkeyPatch.context() as environment:
        before = {name: getattr(jax.config, name) for name in settings}
        for name, value in settings.items():
            jax.config.update(name, value)
            environment.setenv(name.upper(), str(value))
        compilation_cache.reset_cache()  # JAX asks only once whether there is one
        yield
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()


@pytest.fixture(scope="session")
def imported_by_training() -> set[str]:
    """The names of all modules that are there after `import modules.training.loop`."""
    script = "import json, sys, modules.training.loop; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="session")
def images(digit_models: DigitModels) -> np.ndarray:
    """Raw images float32[200, 784] in [0, 1]."""
    return digit_models.images


@pytest.fixture(scope="session")
def analyze() -> Analyze:
    """Makes the Transform graph of raw images, below a folder."""
    return digits.analyze


@pytest.fixture(scope="session")
def tft_output(digit_models: DigitModels) -> tft.TFTransformOutput:
    """The Transform graph of `images`."""
    return digit_models.tft_output


@pytest.fixture(scope="session")
def trained(digit_models: DigitModels) -> Trained:
    """The default network with fresh parameters, and the graph of `images`."""
    network = digit_models.network
    return Trained(network, jax.device_get(network.init(7)), digit_models.tft_output)


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> str:
    """Where the SavedModel and the float32 TFLite model of `trained` are."""
    folder = str(tmp_path_factory.mktemp("models"))
    saved_model.save_saved_model(trained, folder)
    tflite.save_tflite(trained, recipes.FLOAT32, folder)
    return folder


@pytest.fixture(scope="session")
def variants(digit_models: DigitModels) -> dict[str, str]:
    """The paths of the TFLite models of trained parameters, by recipe."""
    return digit_models.tflite_paths


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """Exports of networks of any kind."""
    return Exports(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="session")
def jax_logits(trained: Trained, digit_models: DigitModels) -> np.ndarray:
    """What JAX computes for `images`, without the Transform graph."""
    return np.asarray(trained.network.logits(trained.variables, digit_models.normalized))


def _serialize(image: np.ndarray, label: int | None) -> bytes:
    feature = {features.IMAGE_FLOATS: tf.train.Feature(float_list=tf.train.FloatList(value=image))}
    if label is not None:
        values = tf.train.Int64List(value=[label])
        feature[features.IMAGE_CLASS] = tf.train.Feature(int64_list=values)
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture(scope="session")
def serialize() -> Callable[[np.ndarray, int | None], bytes]:
    """Makes a serialized tf.Example of an image, and of its label unless that is None."""
    return _serialize
