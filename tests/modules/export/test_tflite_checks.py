"""Checks of converted models: each kind of model that TFMA or a device cannot use is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import tflite, tflite_checks
from modules.export.graph import flatbuffer
from modules.export.recipes import DYNAMIC_RANGE, FLOAT32, Recipe
from tests.modules.export.graph.tflite_problems import DIGITS, OF_WEIGHTS, WEIGHTS, problem_of
from tests.support.digit_models import DigitModels
from tests.support.networks import NETWORKS
from tests.support.networks.exports import Exports
from tests.support.networks.outcomes import ONE_IMAGE

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
            flatbuffer.finish(str(path), None)
        return str(path)

    return run


def test_sound_model_passes(convert: Callable[..., str]) -> None:
    tflite_checks.check_tflite(convert(_dense), FLOAT32, DIGITS, OF_WEIGHTS)


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
            r"inputs of shape \[-1, 28, 28\], expected \[-1, 784\], or \[1, 784\]",
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
            lambda pixels: {"logits": (pixels @ WEIGHTS)[:, :9]},
            {},
            r"outputs of shape \[-1, 9\], expected \[-1, 10\]",
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
        "two-outputs", "flex", "classes", "batch-lost", "batch-mixed", "nan", "inf",
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


@pytest.mark.parametrize("computed", ["alone", "in batches"])
def test_operators_outside_xnnpack_are_no_reason(
    convert: Callable[..., str], computed: str
) -> None:
    """TFLite runs them; they are facts about the model."""
    shape = (1, 784) if computed == "alone" else (None, 784)
    path = convert(lambda pixels: {"logits": tf.cumsum(pixels @ WEIGHTS, axis=1)}, shape=shape)
    tflite_checks.check_tflite(path, FLOAT32, DIGITS, OF_WEIGHTS)


def test_model_of_a_fixed_batch_passes_as_one(digit_models: DigitModels, tmp_path: Path) -> None:
    converted = flatbuffer.read_model(digit_models.tflite_paths["float32"])
    for tensor in converted.subgraphs[0].tensors:
        tensor.shapeSignature = None
    path = str(tmp_path / "fixed")
    flatbuffer_utils.write_model(converted, path)
    baseline = digit_models.converted["float32"].facts.baseline
    tflite_checks.check_tflite(path, FLOAT32, digit_models.network.task, baseline)


def test_model_that_tflite_cannot_load(convert: Callable[..., str]) -> None:
    path = convert(_dense)
    content = bytearray(Path(path).read_bytes())
    Path(path).write_bytes(content[:40] + content[20:])
    assert re.match("TFLite does not run it: |not a whole TFLite file: ", problem_of(path))


def test_many_small_operators_are_not_taken_for_weights(
    convert: Callable[..., str], tmp_path: Path
) -> None:
    """Each operator has a size of its own, beside the weights."""

    def network(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        parts = tf.split(pixels, 98, axis=1)
        sums = [tf.tanh(part @ WEIGHTS[:8]) * (1 + place) for place, part in enumerate(parts)]
        return {"logits": tf.add_n(sums)}

    path = convert(network)
    baseline = tflite.facts_of.baseline_of(path)
    assert baseline.operators == 295
    assert Path(path).stat().st_size > 1.02 * baseline.expected_bytes(FLOAT32) + 16_384
    tflite_checks.check_tflite(path, FLOAT32, DIGITS, baseline)
    quantized = convert(network, optimizations=[tf.lite.Optimize.DEFAULT])
    tflite_checks._check_size(quantized, DYNAMIC_RANGE, baseline)


@pytest.mark.parametrize("name", ["pure JAX: MLP", "pure JAX: rows by number"])
def test_batches_of_a_converted_file_are_tried_once(
    exports: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whether its batch is free or fixed: a try takes seconds, for some networks."""
    tried, check = [], tflite_checks.check_batches

    def noted(path: str, recipe: Recipe) -> None:
        tried.append(Path(path).read_bytes())
        check(path, recipe)

    monkeypatch.setattr(tflite_checks, "check_batches", noted)
    converted = tflite.save_tflite(exports.trained(NETWORKS[name]), FLOAT32, str(tmp_path))
    assert converted.facts.fixed_batch == (name in ONE_IMAGE)
    assert tried.count(Path(converted.path).read_bytes()) == 1
