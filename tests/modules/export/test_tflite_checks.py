"""Checks of converted models: each kind of model that TFMA or a device cannot use is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import flatbuffer, saved_model, tflite_checks
from modules.export.recipes import DYNAMIC_RANGE, FLOAT32
from modules.models import cnn
from tests.modules.export.tflite_problems import NUM_PARAMETERS, WEIGHTS, problem_of

Function = Callable[[tf.Tensor], dict[str, tf.Tensor]]
WITH_NAN = np.where(np.arange(7840).reshape(784, 10) == 99, np.float32(np.nan), WEIGHTS)


def _dense(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"logits": pixels @ WEIGHTS}


@pytest.fixture
def convert(tmp_path: Path) -> Callable[..., str]:
    """Converts a function of one input by TFLite's converter, without any check."""

    def run(
        function: Function,
        module: tf.Module | None = None,
        name: str = "image_floats",
        shape: tuple[int | None, ...] = (None, 784),
        dtype: tf.DType = tf.float32,
        flex: bool = False,
        finished: bool = True,
        optimizations: tuple[tf.lite.Optimize, ...] = (),
    ) -> str:
        spec = tf.TensorSpec(shape, dtype, name=name)
        signature = tf.function(function, input_signature=[spec], autograph=False)
        folder = str(tmp_path / "saved_model")
        tf.saved_model.save(
            module or tf.Module(), folder, signatures={"serving_default": signature}
        )
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = optimizations
        if flex:
            converter.target_spec.supported_ops.add(tf.lite.OpsSet.SELECT_TF_OPS)
        path = tmp_path / "tflite"
        path.write_bytes(converter.convert())
        if finished:
            flatbuffer.finish(str(path))
        return str(path)

    return run


def test_sound_model_passes(convert: Callable[..., str]) -> None:
    tflite_checks.check_tflite(convert(_dense), FLOAT32, WEIGHTS.nbytes)


@pytest.mark.parametrize(
    ("function", "options", "problem"),
    [
        (_dense, {"name": "pixels"}, r"inputs \['pixels'\], expected \['image_floats'\]"),
        (
            _dense,
            {"finished": False},
            r"inputs \['serving_default_image_floats:0'\], expected \['image_floats'\]",
        ),
        (
            lambda pixels: _dense(tf.reshape(pixels, [-1, 784])),
            {"shape": (None, 28, 28)},
            r"input shape \[-1, 28, 28\], expected \[-1, 784\]",
        ),
        (
            lambda pixels: _dense(tf.cast(pixels, tf.float32)),
            {"dtype": tf.int32},
            "inputs of int32, expected float32",
        ),
        (
            lambda pixels: {"logits": tf.argmax(pixels @ WEIGHTS, axis=1)},
            {},
            "outputs of int64, expected float32",
        ),
        (lambda pixels: {"scores": pixels @ WEIGHTS}, {}, r"outputs \['scores'\], .*\['logits'\]"),
        (
            lambda pixels: {**_dense(pixels), "more": pixels + 1.0},
            {},
            r"outputs \[.*'more'.*\], expected \['logits'\]",
        ),
        (
            lambda pixels: {"logits": tf.math.cumprod(pixels @ WEIGHTS, axis=1)},
            {"flex": True},
            r"operators outside TFLITE_BUILTINS: \['CUSTOM:FlexCumprod'\]",
        ),
        (
            lambda pixels: {"logits": tf.math.cumsum(pixels @ WEIGHTS, axis=1)},
            {},
            r"XNNPACK does not run \['CUMSUM'\], .*`undelegated` of the recipe float32",
        ),
        (
            lambda pixels: {"logits": tf.reduce_sum(pixels @ WEIGHTS, axis=0, keepdims=True)},
            {},
            "7 images together give other logits than one by one",
        ),
        (
            lambda pixels: {"logits": pixels @ WEIGHTS - tf.reduce_mean(pixels)},
            {},
            "7 images together give other logits than one by one",
        ),
        (lambda pixels: {"logits": pixels @ WITH_NAN}, {}, "logits .* are not finite"),
        (lambda pixels: {"logits": pixels @ WEIGHTS / 0.0}, {}, "logits .* are not finite"),
        (
            lambda pixels: _dense(
                tf.reshape(tf.nn.softmax(tf.reshape(pixels, [28, 28])), [-1, 784])
            ),
            {},
            "a batch of 7 failed: ",
        ),
    ],
    ids=[
        "input-name", "unfinished", "shape", "input-dtype", "output-dtype", "output-name",
        "two-outputs", "flex", "undelegated", "batch-lost", "batch-mixed", "nan", "inf",
        "not-resizable",
    ],
)  # fmt: skip
def test_model_that_cannot_be_used(
    convert: Callable[..., str], function: Function, options: dict[str, object], problem: str
) -> None:
    found = problem_of(convert(function, **options))
    assert re.match(problem, found), found


def test_batches_of_a_quantized_model_are_compared_as_closely(convert: Callable[..., str]) -> None:
    """What the recipe allows between formats is not allowed between batches."""
    path = convert(
        lambda pixels: {"logits": pixels @ WEIGHTS - 30 * tf.reduce_mean(pixels)},
        optimizations=[tf.lite.Optimize.DEFAULT],
    )
    assert "7 images together give other logits" in problem_of(path, DYNAMIC_RANGE)


def test_batch_that_is_fixed(variants: dict[str, str], tmp_path: Path) -> None:
    """Every interpreter but this one refuses to resize it."""
    converted = flatbuffer.read_model(variants["float32"])
    converted.subgraphs[0].tensors[converted.subgraphs[0].inputs[0]].shapeSignature = None
    path = str(tmp_path / "fixed")
    flatbuffer_utils.write_model(converted, path)
    assert problem_of(path, expected_bytes=4 * NUM_PARAMETERS) == (
        "input shape [1, 784], expected [-1, 784]"
    )


def test_network_that_was_not_fused(
    params: cnn.Params, tft_output: tft.TFTransformOutput, convert: Callable[..., str]
) -> None:
    """As the converter leaves the network when it is traced with a batch of any size."""
    module, predict_images = saved_model.make_module(params, tft_output, batch_size=None)
    problem = problem_of(convert(predict_images, module), expected_bytes=4 * NUM_PARAMETERS)
    found = re.match(r"(\d+) operators, expected at most 10: \[.*GATHER.*\]; ", problem)
    assert found and int(found[1]) > 50
    assert "raise MAX_TFLITE_OPERATORS in modules/models/cnn.py" in problem
