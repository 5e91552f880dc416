"""A training of a second or two, in this process or in another."""

import os
import subprocess
import sys

import jax
import numpy as np

from data.files import PROJECT_ROOT
from data.task import Task
from modules.models import cnn
from modules.models.network import Network
from modules.training import loop
from modules.training.config import TrainConfig

HALVES = Network(cnn.MODEL, Task("halves", (28, 28, 1), ("upper", "lower")))
SMALL = TrainConfig(epochs=4, batch_size=16, learning_rate=0.02)
# Two steps in each of two epochs, with nothing so small that its lack would not show.
FOUR_STEPS = TrainConfig(
    epochs=2,
    batch_size=8,
    learning_rate=0.1,
    momentum=0.7,
    warmup=0.5,
    weight_decay=0.3,
    label_smoothing=0.4,
    seed=5,
)
Data = tuple[np.ndarray, np.ndarray]


def make_halves() -> Data:
    """Returns 200 noisy images, bright in the upper half (class 0) or the lower one (class 1)."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    images = random.normal(scale=0.3, size=(200, 2, 392))
    images[np.arange(200), labels] += 1
    return images.reshape(200, 784).astype(np.float32), labels


def make_riddle() -> Data:
    """Returns the same images with labels by chance, so that no epoch ends with a loss of zero."""
    return make_halves()[0], np.random.default_rng(1).integers(0, 2, 200)


def make_few() -> Data:
    """Returns as many of them as FOUR_STEPS takes, and the two that it holds out."""
    images, labels = make_halves()
    return images[:18], labels[:18]


def start(module: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Starts `python -m module` with these arguments, and with this added to the environment."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_same_bits(result: loop.TrainResult, expected: loop.TrainResult) -> None:
    """Compares the parameters and the histories."""
    jax.tree.map(np.testing.assert_array_equal, result.variables, expected.variables)
    assert result.history == expected.history


def assert_close(params: dict, expected: dict, tolerance: float) -> None:
    """Compares each array by its largest difference, as a share of its largest value."""

    def check(found: np.ndarray, wanted: np.ndarray) -> None:
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())

    jax.tree.map(check, params, expected)
