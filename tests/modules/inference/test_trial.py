"""A model over which LiteRT would end the process that runs it."""

import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from flax import linen as nn

from modules.export import tflite
from modules.export.graph.flatbuffer import ConversionError
from modules.export.recipes import INT8
from modules.export.trained import Trained
from modules.inference import trial
from modules.models import linen
from modules.models.network import Network
from tests.support.digit_models import DigitModels


class Dead(nn.Module):
    """Two layers; with biases far below zero, the first one gives zeros for every image."""

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(images)).reshape((len(images), -1))
        return nn.Dense(10)(nn.relu(nn.Dense(64)(x)))


@pytest.mark.parametrize("recipe", ["float32", "int8", "int8_io"])
def test_sound_models_run(digit_models: DigitModels, recipe: str) -> None:
    assert not trial.ends_the_process(digit_models.tflite_paths[recipe])


def test_what_can_be_caught_ends_no_process(tmp_path: Path) -> None:
    (tmp_path / "tflite").write_bytes(b"no model")
    assert not trial.ends_the_process(str(tmp_path / "tflite"))


def test_a_network_that_died_in_training_is_refused(
    digit_models: DigitModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(linen(lambda task: Dead()), digit_models.files.task)
    variables = jax.tree.map(np.array, jax.device_get(network.init(0)))
    for name in ("Conv_0", "Dense_0"):
        variables["params"][name]["bias"] -= 1e4
    dead = Trained(network, variables, digit_models.tft_output)
    ended = []

    def ends_the_process(path: str) -> bool:
        shutil.copy(path, tmp_path / "kept.tflite")
        ended.append(original(path))
        return ended[-1]

    original = trial.ends_the_process
    monkeypatch.setattr(trial, "ends_the_process", ends_the_process)
    with pytest.raises(ConversionError, match="LiteRT ends the process that runs it"):
        tflite.save_tflite(dead, INT8, str(tmp_path), digit_models.images[::4])
    assert ended == [True]
