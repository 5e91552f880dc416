"""A Transform graph and both exported models, made once from a few real digits."""

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import jax
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from data.dataset import open_folder, read_split_range
from data.digits import make_digits
from modules import examples, export, features, model
from modules.preprocessing import preprocessing_fn

Analyze = Callable[[np.ndarray, Path], tft.TFTransformOutput]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Raw images float32[200, 784] in [0, 1]."""
    folder = tmp_path_factory.mktemp("digits")
    make_digits(folder)
    files = open_folder(folder)
    return read_split_range(files.train_images, files.train_labels, 0, 200)[0]


def _analyze(raw_images: np.ndarray, path: Path) -> tft.TFTransformOutput:
    spec = schema_utils.schema_from_feature_spec(examples.RAW_FEATURE_SPEC)
    rows = [
        {features.IMAGE_FLOATS: image, features.IMAGE_CLASS: np.array([0])} for image in raw_images
    ]
    with beam.Pipeline() as pipeline, tft_beam.Context(temp_dir=str(path / "scratch")):
        data = pipeline | beam.Create(rows), dataset_metadata.DatasetMetadata(spec)
        graph = data | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = graph | tft_beam.WriteTransformFn(str(path / "graph"))
    return tft.TFTransformOutput(str(path / "graph"))


@pytest.fixture(scope="session")
def analyze() -> Analyze:
    """Makes the Transform graph of raw images, below a folder."""
    return _analyze


@pytest.fixture(scope="session")
def tft_output(
    tmp_path_factory: pytest.TempPathFactory, images: np.ndarray
) -> tft.TFTransformOutput:
    """The Transform graph of `images`."""
    return _analyze(images, tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="session")
def params() -> model.Params:
    """Fresh parameters for ten classes."""
    return jax.device_get(model.init_params(jax.random.key(7), 10))


@pytest.fixture(scope="session")
def models_dir(
    tmp_path_factory: pytest.TempPathFactory,
    params: model.Params,
    tft_output: tft.TFTransformOutput,
) -> str:
    """Where `save_models` wrote both formats of `params`."""
    folder = str(tmp_path_factory.mktemp("models"))
    export.save_models(params, tft_output, folder)
    return folder


@pytest.fixture(scope="session")
def jax_logits(params: model.Params, images: np.ndarray) -> np.ndarray:
    """What JAX computes for `images`, without the Transform graph."""
    pixels = images.astype(np.float64)
    normalized = ((pixels - pixels.mean()) / pixels.std()).astype(np.float32)
    return np.asarray(model.apply_flat(params, normalized))


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
