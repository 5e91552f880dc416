"""Checks of converted models: each kind of model that TFMA or a device cannot use is refused."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from modules import litert, tflite_rewriter

Function = Callable[[tf.Tensor], dict[str, tf.Tensor]]
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)


def _dense(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"logits": tf.nn.log_softmax(pixels @ WEIGHTS)}


@pytest.fixture
def convert(tmp_path: Path) -> Callable[..., str]:
    """Converts a function of one input as TFX's rewriter would, without any check."""

    def run(
        function: Function,
        name: str = "image_floats",
        shape: tuple[int | None, ...] = (None, 784),
        dtype: tf.DType = tf.float32,
        flex: bool = False,
    ) -> str:
        signature = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype, name=name)])
        folder = str(tmp_path / "saved_model")
        tf.saved_model.save(tf.Module(), folder, signatures={"serving_default": signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if flex:
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.TFLITE_BUILTINS,
                tf.lite.OpsSet.SELECT_TF_OPS,
            ]
        path = tmp_path / "tflite"
        path.write_bytes(converter.convert())
        return str(path)

    return run


def test_sound_model_passes(convert: Callable[..., str]) -> None:
    tflite_rewriter.check_tflite(convert(_dense))


def test_exported_model_has_tflites_own_operators_and_any_batch(models_dir: str) -> None:
    path = f"{models_dir}/tflite"
    tflite_rewriter.check_tflite(path)
    names = tflite_rewriter.operators(path)
    assert names.count("FULLY_CONNECTED") == 2 and names[-1] == "LOG_SOFTMAX"
    assert not [name for name in names if "CUSTOM" in name or "STABLEHLO" in name]
    (taken,) = litert.make_interpreter(path).get_input_details()
    assert list(taken["shape_signature"]) == [-1, 784]


def test_the_batch_of_what_is_computed_is_free_and_constants_are_not(models_dir: str) -> None:
    flatbuffer = flatbuffer_utils.read_model(f"{models_dir}/tflite")
    free, fixed = [], []
    for tensor in flatbuffer.subgraphs[0].tensors:
        is_constant = flatbuffer.buffers[tensor.buffer].data is not None
        signature = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
        (fixed if is_constant else free).append(list(signature))
    assert {signature[0] for signature in free} == {-1}
    assert all(-1 not in signature for signature in fixed)
    assert any(signature[:1] == [1] for signature in fixed)  # the first convolution's kernel


@pytest.fixture
def rewrite(tmp_path: Path) -> Callable[..., str]:
    """Saves a function of one image and rewrites it as the pipeline does."""

    def run(function: Function, name: str = "image_floats") -> str:
        spec = tf.TensorSpec([1, 784], tf.float32, name=name)
        signature = tf.function(function, input_signature=[spec], autograph=False)
        source = str(tmp_path / "one")
        tf.saved_model.save(tf.Module(), source, signatures={"serving_default": signature})
        return tflite_rewriter.rewrite(source, str(tmp_path / "lite"))

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
    expected = np.concatenate([function(images[row : row + 1])["logits"] for row in range(9)])
    np.testing.assert_allclose(litert.predict(path, images[:9]), expected, atol=1e-4)


def test_rewriting_checks(rewrite: Callable[..., str]) -> None:
    with pytest.raises(tflite_rewriter.ConversionError, match=r"inputs \['pixels'\]"):
        rewrite(_dense, name="pixels")


def test_rewriting_what_mixes_the_images_is_refused(rewrite: Callable[..., str]) -> None:
    """A number for the whole batch has no batch dimension to be freed."""
    with pytest.raises(tflite_rewriter.ConversionError, match="7 images together"):
        rewrite(lambda pixels: {"logits": pixels @ WEIGHTS - tf.reduce_mean(pixels)})


@pytest.mark.parametrize(
    ("function", "options", "problem"),
    [
        (_dense, {"name": "pixels"}, r"inputs \['pixels'\], expected \['image_floats'\]"),
        (_dense, {"shape": (1, 784)}, r"input shape \[.*1.*784.*\], expected \[-1, 784\]"),
        (
            lambda pixels: {"logits": tf.reshape(pixels, [-1, 784]) @ WEIGHTS},
            {"shape": (None, 28, 28)},
            r"input shape .*28.*, expected \[-1, 784\]",
        ),
        (
            lambda pixels: _dense(tf.cast(pixels, tf.float32)),
            {"dtype": tf.int32},
            "expected one float32 input .*int32",
        ),
        (lambda pixels: {**_dense(pixels), "more": pixels + 1.0}, {}, "and 2 outputs"),
        (
            lambda pixels: {"logits": tf.math.cumprod(pixels @ WEIGHTS, axis=1)},
            {"flex": True},
            r"outside TFLITE_BUILTINS: \['CUSTOM:FlexCumprod'\]",
        ),
        (
            lambda pixels: {"logits": tf.reduce_sum(pixels @ WEIGHTS, axis=0, keepdims=True)},
            {},
            "7 images together give other logits",
        ),
        (
            lambda pixels: {"logits": pixels @ WEIGHTS - tf.reduce_mean(pixels)},
            {},
            "7 images together give other logits",
        ),
        (
            lambda pixels: {"logits": tf.math.log(pixels @ WEIGHTS * 0.0 - 1.0)},
            {},
            "not finite",
        ),
        (
            lambda pixels: {"logits": pixels @ WEIGHTS / 0.0},
            {},
            "not finite",
        ),
        (
            lambda pixels: {"scores": pixels @ WEIGHTS},
            {},
            "'logits'",
        ),
        (
            lambda pixels: {"logits": tf.reshape(pixels, [1, 784]) @ WEIGHTS},
            {},
            "a batch of 7 failed: ",
        ),
    ],
    ids=[
        "name", "fixed-batch", "shape", "dtype", "two-outputs", "flex",
        "batch-lost", "batch-mixed", "nan", "inf", "output-name", "not-resizable",
    ],
)  # fmt: skip
def test_model_that_cannot_be_used(
    convert: Callable[..., str], function: Function, options: dict[str, object], problem: str
) -> None:
    path = convert(function, **options)
    with pytest.raises(tflite_rewriter.ConversionError, match=f"^{path}: .*{problem}"):
        tflite_rewriter.check_tflite(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_file(models_dir: str, tmp_path: Path, share: float) -> None:
    content = Path(models_dir, "tflite").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises((tflite_rewriter.ConversionError, ValueError, struct.error)):
        tflite_rewriter.check_tflite(str(path))
