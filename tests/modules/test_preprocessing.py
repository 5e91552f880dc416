"""What Transform does to images: mean 0 and variance 1, the same bits every time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow_transform as tft

from modules.examples import tf_examples

Analyze = Callable[[np.ndarray, Path], tft.TFTransformOutput]


def test_mean_0_and_variance_1_over_all_pixels(
    tft_output: tft.TFTransformOutput, images: np.ndarray
) -> None:
    found = tf_examples.normalize(images, tft_output).astype(np.float64)
    assert abs(found.mean()) < 1e-6
    assert abs(found.var() - 1) < 1e-6


def test_images_of_one_grey_become_zeros(analyze: Analyze, tmp_path: Path) -> None:
    """Their variance is 0; nothing is divided by it."""
    grey = np.full((5, 784), 0.25, np.float32)
    np.testing.assert_array_equal(tf_examples.normalize(grey, analyze(grey, tmp_path)), 0)


def test_order_of_the_examples_does_not_show(
    tft_output: tft.TFTransformOutput, images: np.ndarray, analyze: Analyze, tmp_path: Path
) -> None:
    """Beam adds up batches in whatever order they finish: the constants have the same bits."""
    expected = tf_examples.normalize(images, tft_output)
    for seed in (1, 2):
        order = np.random.default_rng(seed).permutation(len(images))
        path = tmp_path / str(seed)
        path.mkdir()
        shuffled = tf_examples.normalize(images, analyze(images[order], path))
        np.testing.assert_array_equal(shuffled, expected)


def test_label_is_unchanged_and_nothing_else_comes_out(tft_output: tft.TFTransformOutput) -> None:
    layer = tft_output.transform_features_layer()
    image = np.zeros((2, 784), np.float32)
    out = layer({"image_floats": image, "image_class": np.array([[3], [9]])})
    assert set(out) == {"image_normalized", "image_class"}
    assert out["image_class"].numpy().tolist() == [[3], [9]]
