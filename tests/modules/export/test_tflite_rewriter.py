"""TFX's rewriter by recipe: what comes out takes any number of images, or is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from modules.export import tflite_rewriter
from modules.export.flatbuffer import ConversionError
from modules.export.recipes import FLOAT32, INT8, INT8_IO, Recipe
from modules.inference import litert

Function = Callable[[tf.Tensor], dict[str, tf.Tensor]]
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)


def _dense(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"logits": pixels @ WEIGHTS}


@pytest.fixture
def rewrite(tmp_path: Path) -> Callable[..., str]:
    """Saves a function of one image and rewrites it as the pipeline does."""

    def run(
        function: Function,
        name: str = "image_floats",
        recipe: Recipe = FLOAT32,
        representative_images: np.ndarray | None = None,
        expected_bytes: int = WEIGHTS.nbytes,
    ) -> str:
        spec = tf.TensorSpec([1, 784], tf.float32, name=name)
        signature = tf.function(function, input_signature=[spec], autograph=False)
        source = str(tmp_path / "one")
        tf.saved_model.save(tf.Module(), source, signatures={"serving_default": signature})
        return tflite_rewriter.rewrite(
            source, str(tmp_path / "lite"), recipe, representative_images, expected_bytes
        )

    return run


@pytest.mark.parametrize(
    "function",
    [
        _dense,
        lambda pixels: {"logits": pixels @ WEIGHTS + WEIGHTS[:1]},  # a constant of shape [1, 10]
        lambda pixels: {
            "logits": tf.reshape(
                tf.nn.avg_pool2d(tf.reshape(pixels, [1, 28, 28, 1]), 2, 2, "VALID"), [1, 196]
            )
            @ WEIGHTS[:196]
        },
    ],
    ids=["plain", "constant", "reshapes"],
)
def test_rewritten_for_one_image_it_takes_any_number(
    rewrite: Callable[..., str], tmp_path: Path, images: np.ndarray, function: Function
) -> None:
    path = rewrite(function)
    assert path == f"{tmp_path}/lite/tflite"
    assert [file.name for file in Path(path).parent.iterdir()] == ["tflite"]
    expected = np.concatenate([function(images[row : row + 1])["logits"] for row in range(9)])
    np.testing.assert_allclose(litert.predict(path, images[:9]), expected, atol=1e-4)


def test_ranges_are_those_of_the_representative_images(
    rewrite: Callable[..., str], images: np.ndarray
) -> None:
    """Of all of them: only the last one is bright."""
    dim = np.concatenate([images[:9] * 0.25, images[9:10] * 0.5])
    path = rewrite(_dense, recipe=INT8_IO, representative_images=dim)
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


def test_rewriting_checks(rewrite: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=rf"^{tmp_path}/lite/tflite: inputs \['pixels'\]"):
        rewrite(_dense, name="pixels")


def test_rewriting_checks_by_the_given_bytes(rewrite: Callable[..., str]) -> None:
    with pytest.raises(ConversionError, match="at most 20,464 for weights of 4 byte"):
        rewrite(_dense, expected_bytes=4000)


def test_rewriting_what_mixes_the_images_is_refused(rewrite: Callable[..., str]) -> None:
    """A number for the whole batch has no batch dimension to be freed."""
    with pytest.raises(ConversionError, match="7 images together"):
        rewrite(lambda pixels: {"logits": pixels @ WEIGHTS - tf.reduce_mean(pixels)})


@pytest.mark.parametrize("recipe", [INT8, INT8_IO], ids=["int8", "int8_io"])
def test_operator_without_an_integer_kernel_is_refused(
    rewrite: Callable[..., str], images: np.ndarray, recipe: Recipe
) -> None:
    """The converter leaves it to a float kernel, which a device for integers does not have."""
    with pytest.raises(ConversionError, match=r"'DEQUANTIZE', 'SIN'.* in integers"):
        rewrite(
            lambda pixels: {"logits": tf.sin(pixels @ WEIGHTS)},
            recipe=recipe,
            representative_images=images,
        )
