"""The report's curves and images, and the training's events that they show."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.report import figures
from tests.support.report.report_pages import evidence, page


def test_missing_events_are_said(tmp_path: Path) -> None:
    assert figures.read_scalars(str(tmp_path / "none")) == {}
    assert figures.read_scalars(str(tmp_path)) == {}
    found = page(shown=evidence(scalars={}))
    assert "The training left no TensorBoard events" in found.text
    assert found.tags["svg"] == 1  # a confusion matrix


def test_every_epoch_is_read_from_the_events(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for epoch in range(1, 31):
            tf.summary.scalar("train_loss", 1 / epoch, step=epoch)
        tf.summary.scalar("validation_accuracy", 0.5, step=1)
        tf.summary.text("note", ["no", "scalar"], step=1)
    scalars = figures.read_scalars(str(tmp_path))
    assert scalars.keys() == {"train_loss", "validation_accuracy"}
    assert [epoch for epoch, _ in scalars["train_loss"]] == list(range(1, 31))
    np.testing.assert_allclose([v for _, v in scalars["train_loss"]], 1 / np.arange(1, 31))
    assert scalars["validation_accuracy"] == [(1, 0.5)]


def decoded(address: str) -> np.ndarray:
    """The levels of a picture, uint8."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 30, 1), (5, 7, 3), (168, 9, 3), (1, 1, 1)])
def test_picture_of_an_image_of_any_shape(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.7, size=shape).astype(np.float32)
    found = decoded(figures.picture(image.reshape(-1), shape))
    expected = np.rint(image * 255)
    np.testing.assert_array_equal(found, expected[..., 0] if shape[2] == 1 else expected)


def test_picture_of_a_large_image_is_made_smaller_in_its_own_proportions() -> None:
    image = np.full((224, 112, 3), (1.0, 0.5, 0.0), np.float32)
    found = decoded(figures.picture(image.reshape(-1), image.shape))
    assert found.shape == (168, 84, 3)
    assert (found == (255, 128, 0)).all()
