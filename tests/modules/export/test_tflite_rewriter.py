"""TFX's rewriter by recipe, for a batch of one size."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from modules.export import tflite_rewriter
from modules.export.recipes import FLOAT32, INT8, INT8_IO, Recipe
from modules.export.tflite_rewriter import ConverterFailedError
from modules.inference import litert

Function = Callable[[tf.Tensor], dict[str, tf.Tensor]]
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)


def _dense(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"logits": pixels @ WEIGHTS}


@pytest.fixture
def rewrite(tmp_path: Path) -> Callable[..., str]:
    """Saves a function of a batch and rewrites it."""

    def run(
        function: Function,
        recipe: Recipe = FLOAT32,
        representative_images: np.ndarray | None = None,
        batch_size: int = 1,
    ) -> str:
        spec = tf.TensorSpec([batch_size, 784], tf.float32, name="image_floats")
        signature = tf.function(function, input_signature=[spec], autograph=False)
        source = str(tmp_path / "source")
        tf.saved_model.save(tf.Module(), source, signatures={"serving_default": signature})
        return tflite_rewriter.rewrite(
            source, str(tmp_path / "lite"), recipe, representative_images, batch_size
        )

    return run


@pytest.mark.parametrize("size", [1, 3])
def test_it_takes_the_batch_that_it_was_converted_for(
    rewrite: Callable[..., str], tmp_path: Path, images: np.ndarray, size: int
) -> None:
    path = rewrite(_dense, batch_size=size)
    assert path == f"{tmp_path}/lite/tflite"
    assert [file.name for file in Path(path).parent.iterdir()] == ["tflite"]
    expected = _dense(images[:6])["logits"]
    np.testing.assert_allclose(litert.predict(path, images[:6]), expected, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2])
def test_ranges_are_those_of_the_representative_images(
    rewrite: Callable[..., str], images: np.ndarray, size: int
) -> None:
    """Of all of them: only the last one is bright."""
    dim = np.concatenate([images[:9] * 0.25, images[9:10] * 0.5])
    path = rewrite(_dense, INT8_IO, dim, size)
    scale, zero_point = litert.make_interpreter(path).get_input_details()[0]["quantization"]
    assert zero_point == -128
    assert 255 * scale == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("none", [None, np.zeros((0, 784), np.float32)], ids=["none", "empty"])
@pytest.mark.parametrize("recipe", [INT8, INT8_IO], ids=["int8", "int8_io"])
def test_recipe_that_wants_representative_images(
    rewrite: Callable[..., str], recipe: Recipe, none: np.ndarray | None
) -> None:
    with pytest.raises(ValueError, match=f"the recipe {recipe.name} takes .* representative"):
        rewrite(_dense, recipe=recipe, representative_images=none)


def test_what_the_converter_says_is_kept(rewrite: Callable[..., str]) -> None:
    with pytest.raises(ConverterFailedError, match="tf.BitwiseAnd"):
        rewrite(
            lambda pixels: {
                "logits": tf.cast(tf.bitwise.bitwise_and(tf.cast(pixels, tf.int32), 3), tf.float32)
            }
        )
