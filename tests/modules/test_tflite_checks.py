"""Checks of converted models: each kind of model that TFMA or a device cannot use is refused."""

import copy
import re
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.lite.tools import flatbuffer_utils

from modules import export, flatbuffer, litert, model, tflite_checks
from modules.flatbuffer import ConversionError
from modules.recipes import DYNAMIC_RANGE, FLOAT16, FLOAT32, INT8, INT8_IO, RECIPES, Recipe

Function = Callable[[tf.Tensor], dict[str, tf.Tensor]]
NUM_PARAMETERS = 824_458
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
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


def _problem(path: str, recipe: Recipe = FLOAT32, expected_bytes: int = WEIGHTS.nbytes) -> str:
    """Returns what the check says of a model, and that it names the file."""
    with pytest.raises(ConversionError) as caught:
        tflite_checks.check_tflite(path, recipe, expected_bytes)
    file, _, problem = str(caught.value).partition(": ")
    assert file == path
    return problem


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
    found = _problem(convert(function, **options))
    assert re.match(problem, found), found


def test_batches_of_a_quantized_model_are_compared_as_closely(convert: Callable[..., str]) -> None:
    """What the recipe allows between formats is not allowed between batches."""
    path = convert(
        lambda pixels: {"logits": pixels @ WEIGHTS - 30 * tf.reduce_mean(pixels)},
        optimizations=[tf.lite.Optimize.DEFAULT],
    )
    assert "7 images together give other logits" in _problem(path, DYNAMIC_RANGE)


def test_batch_that_is_fixed(variants: dict[str, str], tmp_path: Path) -> None:
    """Every interpreter but this one refuses to resize it."""
    converted = flatbuffer.read_model(variants["float32"])
    converted.subgraphs[0].tensors[converted.subgraphs[0].inputs[0]].shapeSignature = None
    path = str(tmp_path / "fixed")
    flatbuffer_utils.write_model(converted, path)
    assert _problem(path, expected_bytes=4 * NUM_PARAMETERS) == (
        "input shape [1, 784], expected [-1, 784]"
    )


def test_network_that_was_not_fused(
    params: model.Params, tft_output: tft.TFTransformOutput, convert: Callable[..., str]
) -> None:
    """As the converter leaves the network when it is traced with a batch of any size."""
    module, predict_images = export._make_module(params, tft_output, batch_size=None)
    problem = _problem(convert(predict_images, module), expected_bytes=4 * NUM_PARAMETERS)
    found = re.match(r"(\d+) operators, expected at most 10: \[.*GATHER.*\]; ", problem)
    assert found and int(found[1]) > 50
    assert "raise MAX_TFLITE_OPERATORS in modules/model.py" in problem


@pytest.mark.parametrize(
    ("converted_by", "checked_as", "problem"),
    [
        ("float32", INT8_IO, "inputs of float32, expected int8"),
        ("int8_io", INT8, "inputs of int8, expected float32"),
        ("float32", FLOAT16, r"3,3\d\d,\d{3} bytes, .* 1,698,278 for weights of 2 byte"),
        ("float32", DYNAMIC_RANGE, r"3,3\d\d,\d{3} bytes, .* recipe dynamic_range did not reach"),
        ("float16", DYNAMIC_RANGE, r"1,65\d,\d{3} bytes, expected at most 857,331 for .* 1 byte"),
        (
            "dynamic_range",
            INT8,
            r"\['SUB'.*\] do not all compute in integers, as the recipe int8 wants",
        ),
        ("float16", FLOAT32, "most weights are FLOAT16, expected FLOAT32, as the recipe float32"),
        ("dynamic_range", FLOAT32, "most weights are INT8, expected FLOAT32"),
        ("dynamic_range", FLOAT16, "most weights are INT8, expected FLOAT16"),
        ("int8", DYNAMIC_RANGE, "activations are INT8, expected floats, as the recipe dynamic_"),
    ],
)
def test_model_of_another_recipe(
    variants: dict[str, str], converted_by: str, checked_as: Recipe, problem: str
) -> None:
    found = _problem(variants[converted_by], checked_as, checked_as.weight_bytes * NUM_PARAMETERS)
    assert re.match(problem, found), found


@pytest.mark.parametrize("checked_as", RECIPES)
@pytest.mark.parametrize("converted_by", RECIPES)
def test_a_file_passes_as_that_of_its_own_recipe_only(
    variants: dict[str, str], converted_by: str, checked_as: str
) -> None:
    recipe, path = RECIPES[checked_as], variants[converted_by]
    if converted_by == checked_as:
        tflite_checks.check_tflite(path, recipe, recipe.weight_bytes * NUM_PARAMETERS)
    else:
        assert _problem(path, recipe, recipe.weight_bytes * NUM_PARAMETERS)


@pytest.mark.parametrize(
    ("recipe", "operator", "place"),
    [(INT8, "QUANTIZE", 0), (INT8_IO, "RESHAPE", 2), (FLOAT16, "DEQUANTIZE", 0)],
    ids=["int8", "int8_io", "float16"],
)
def test_an_operator_more_than_the_recipe_needs(
    variants: dict[str, str], tmp_path: Path, recipe: Recipe, operator: str, place: int
) -> None:
    """One that costs time and changes nothing, be it of those that quantization brings along."""
    model_ = flatbuffer.read_model(variants[recipe.name])
    assert flatbuffer.operators(variants[recipe.name])[place] == operator
    repeated = model_.subgraphs[0].operators[place]
    model_.subgraphs[0].operators.insert(place + 1, copy.deepcopy(repeated))
    path = str(tmp_path / "slow")
    flatbuffer_utils.write_model(model_, path)
    problem = _problem(path, recipe, recipe.weight_bytes * NUM_PARAMETERS)
    assert problem.startswith("11 operators, expected at most 10: "), problem


@pytest.mark.parametrize("recipe", [FLOAT32, FLOAT16], ids=["float32", "float16"])
def test_weight_that_is_nan(
    params: model.Params, tft_output: tft.TFTransformOutput, tmp_path: Path, recipe: Recipe
) -> None:
    """Integers cannot say it: with the other recipes only the comparison with JAX shows it."""
    damaged = jax.tree.map(np.copy, params)
    damaged["Dense_0"]["kernel"][5, 5] = np.nan
    with pytest.raises(ConversionError, match=f"^{tmp_path}/tflite: logits .* are not finite$"):
        export.save_tflite(damaged, tft_output, recipe, str(tmp_path))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file(variants: dict[str, str], tmp_path: Path, share: float) -> None:
    content = Path(variants["int8"]).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(share * len(content))])
    assert _problem(str(path), INT8, NUM_PARAMETERS).startswith("not a whole TFLite file: ")


@pytest.mark.parametrize("name", RECIPES)
def test_operators_outside_xnnpack(variants: dict[str, str], name: str) -> None:
    path = variants[name]
    assert tflite_checks.undelegated_operators(litert.make_interpreter(path)) == set()
    without = litert.make_interpreter(path, xnnpack=False)
    assert tflite_checks.undelegated_operators(without) == set(flatbuffer.operators(path))
