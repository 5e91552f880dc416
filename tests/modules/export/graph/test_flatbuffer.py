"""Reading TFLite files as flatbuffers, and what is edited in them after a conversion."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from modules.inference import litert

WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)


@pytest.fixture
def converted(tmp_path: Path) -> Callable[..., str]:
    """Converts a function of a batch as TFLite's converter alone does."""

    def run(
        function: Callable[[tf.Tensor], dict[str, tf.Tensor]], flex: bool = False, size: int = 1
    ) -> str:
        spec = tf.TensorSpec([size, 784], tf.float32, name="image_floats")
        signature = tf.function(function, input_signature=[spec], autograph=False)
        tf.saved_model.save(
            tf.Module(), str(tmp_path / "saved"), signatures={"serving_default": signature}
        )
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
        if flex:
            converter.target_spec.supported_ops.add(tf.lite.OpsSet.SELECT_TF_OPS)
        path = tmp_path / f"converted_{size}"
        path.write_bytes(converter.convert())
        return str(path)

    return run


def test_operators_in_the_order_of_execution(converted: Callable[..., str]) -> None:
    """GELU's code, 150, is too large for the field in which the others' may be stored."""
    path = converted(
        lambda pixels: {"logits": tf.nn.gelu(tf.tanh(pixels @ WEIGHTS) + tf.sin(WEIGHTS[:1]))}
    )
    assert flatbuffer.operators(path) == ["FULLY_CONNECTED", "TANH", "ADD", "GELU"]


def test_custom_operators_are_marked(converted: Callable[..., str]) -> None:
    path = converted(lambda pixels: {"logits": tf.math.cumprod(tf.tanh(pixels), axis=1)}, flex=True)
    assert flatbuffer.operators(path) == ["TANH", "CUSTOM:FlexCumprod"]


def _reshaping(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    size = pixels.shape[0]
    small = tf.nn.avg_pool2d(tf.reshape(pixels, [size, 28, 28, 1]), 2, 2, "VALID")
    return {"logits": tf.reshape(small, [size, 196]) @ WEIGHTS[:196] + WEIGHTS[:1]}


def test_finished_model_has_the_signatures_names_and_any_batch(
    converted: Callable[..., str], images: np.ndarray
) -> None:
    path, other = converted(_reshaping, size=2), converted(_reshaping, size=3)
    raw = litert.make_interpreter(path)
    assert raw.get_input_details()[0]["name"] == "serving_default_image_floats:0"
    assert raw.get_input_details()[0]["shape_signature"].tolist() == [2, 784]
    expected = np.concatenate([litert.predict(path, images[row : row + 2]) for row in (0, 2, 4)])

    flatbuffer.finish(path, other=(other, (2, 3)))
    finished = litert.make_interpreter(path)
    (taken,), (given,) = finished.get_input_details(), finished.get_output_details()
    assert (taken["name"], given["name"]) == ("image_floats", "logits")
    assert taken["shape"].tolist() == [1, 784]
    for size in (1, 6):
        np.testing.assert_array_equal(litert.predict(path, images[:size]), expected[:size])


def test_model_that_keeps_its_batch_gets_names(
    converted: Callable[..., str], images: np.ndarray
) -> None:
    """It is run on one image after the other."""
    path = converted(_reshaping)
    expected = np.concatenate([litert.predict(path, images[row : row + 1]) for row in range(9)])
    flatbuffer.finish(path)
    (taken,) = litert.make_interpreter(path).get_input_details()
    assert (taken["name"], taken["shape_signature"].tolist()) == ("image_floats", [1, 784])
    np.testing.assert_array_equal(litert.predict(path, images[:9]), expected)


@pytest.mark.parametrize("name", RECIPES)
def test_the_batch_of_what_is_computed_is_free_and_weights_are_not(
    variants: dict[str, str], name: str
) -> None:
    """Nor are weights that DEQUANTIZE makes of float16: the first kernel is [1, 3, 3, 32], too."""
    model = flatbuffer_utils.read_model(variants[name])
    signatures = [
        (list(tensor.shape), list(tensor.shapeSignature))
        for tensor in model.subgraphs[0].tensors
        if tensor.shapeSignature is not None
    ]
    assert all(signature == [-1, *shape[1:]] for shape, signature in signatures)
    free = [signature[1:] for _, signature in signatures]
    for activation in ([784], [28, 28, 1], [28, 28, 32], [14, 14, 64], [3136], [256], [10]):
        assert activation in free
    assert [3, 3, 32] not in free


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_file_that_is_not_whole(models_dir: str, tmp_path: Path, share: float) -> None:
    content = Path(models_dir, "tflite").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(share * len(content))])
    for read in (flatbuffer.read_model, flatbuffer.operators, flatbuffer.finish):
        with pytest.raises(
            flatbuffer.ConversionError, match=f"^{re.escape(str(path))}: not a whole TFLite file: "
        ):
            read(str(path))


def test_damaged_file_is_read_or_refused(variants: dict[str, str], tmp_path: Path) -> None:
    """Thirty wrong bytes near its beginning, or its end, where the graph is."""
    content = np.fromfile(variants["int8"], np.uint8)
    path = tmp_path / "damaged"
    refused = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        damaged = content.copy()
        part = damaged[:6000] if seed % 2 else damaged[-6000:]
        part[random.integers(0, 6000, 30)] = random.integers(0, 256, 30)
        damaged.tofile(path)
        try:
            flatbuffer.read_model(str(path))
        except flatbuffer.ConversionError as error:
            assert str(error).startswith(f"{path}: not a whole TFLite file: ")
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("content", [bytes(5000), b"no model, but long enough to be one"])
def test_other_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(flatbuffer.ConversionError, match="/other: not a whole TFLite file: "):
        flatbuffer.read_model(str(path))
