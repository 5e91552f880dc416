"""Every way to call a SavedModel is compared with JAX."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from data.errors import ConfigError
from modules.export import logit_checks, saved_model
from modules.export.reusable import round_trip
from modules.export.trained import Trained
from modules.models import cnn, mlp


@pytest.fixture(scope="module")
def fixed_dir(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> str:
    folder = str(tmp_path_factory.mktemp("fixed"))
    saved_model.save_saved_model(trained, folder, (1, 16, 128))
    return folder


def test_all_ways_of_any_batch(models_dir: str, images: np.ndarray, jax_logits: np.ndarray) -> None:
    ways = round_trip.check_calls(models_dir, images, jax_logits)
    assert len(ways) == len(set(ways)) == 8
    assert {"called by jax.jit, batch 1", "compiled by jit_compile, batch 16"} <= set(ways)


def test_all_ways_of_each_batch_size(
    fixed_dir: str, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    ways = round_trip.check_calls(fixed_dir, images, jax_logits)
    assert len(ways) == 12
    assert {way.rpartition(" ")[2] for way in ways} == {"1", "16", "128"}


@pytest.mark.parametrize("kind", ["any", "fixed"])
@pytest.mark.parametrize("size", [1, 16, 128])
def test_logits_of_the_flax_network(
    request: pytest.FixtureRequest,
    models_dir: str,
    images: np.ndarray,
    jax_logits: np.ndarray,
    kind: str,
    size: int,
) -> None:
    folder = models_dir if kind == "any" else request.getfixturevalue("fixed_dir")
    found = tf.saved_model.load(folder)(images[:size])
    np.testing.assert_allclose(found, jax_logits[:size], atol=1e-5, rtol=0)


def test_other_logits(models_dir: str, images: np.ndarray, jax_logits: np.ndarray) -> None:
    with pytest.raises(logit_checks.ExportMismatchError, match="SavedModel called with pixels"):
        round_trip.check_calls(models_dir, images, jax_logits + 0.1)


def test_what_is_there_is_checked_without_training(models_dir: str) -> None:
    assert len(round_trip.check_saved(models_dir, cnn.MODEL)) == 8


def test_of_another_model(models_dir: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has a variable .*; give the model that was trained"):
        round_trip.check_saved(models_dir, mlp.MODEL)
    with pytest.raises(ConfigError, match="is no SavedModel of this project"):
        round_trip.check_saved(str(tmp_path), cnn.MODEL)
