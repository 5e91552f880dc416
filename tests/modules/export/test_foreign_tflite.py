"""Files that are no model of their recipe: others, altered ones, cut ones."""

import copy
import re
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow_transform as tft
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import flatbuffer, tflite, tflite_checks
from modules.export.flatbuffer import ConversionError
from modules.export.recipes import DYNAMIC_RANGE, FLOAT16, FLOAT32, INT8, INT8_IO, RECIPES, Recipe
from modules.inference import litert
from modules.models import cnn
from tests.modules.export.tflite_problems import NUM_PARAMETERS, problem_of


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
            r"\['SUB'.*\] do not all compute in integers, as the recipe int8 demands",
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
    found = problem_of(variants[converted_by], checked_as, checked_as.weight_bytes * NUM_PARAMETERS)
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
        assert problem_of(path, recipe, recipe.weight_bytes * NUM_PARAMETERS)


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
    problem = problem_of(path, recipe, recipe.weight_bytes * NUM_PARAMETERS)
    assert problem.startswith("11 operators, expected at most 10: "), problem


@pytest.mark.parametrize("recipe", [FLOAT32, FLOAT16], ids=["float32", "float16"])
def test_weight_that_is_nan(
    params: cnn.Params, tft_output: tft.TFTransformOutput, tmp_path: Path, recipe: Recipe
) -> None:
    """Integers cannot say it: with the other recipes only the comparison with JAX shows it."""
    damaged = jax.tree.map(np.copy, params)
    damaged["Dense_0"]["kernel"][5, 5] = np.nan
    with pytest.raises(ConversionError, match=f"^{tmp_path}/tflite: logits .* are not finite$"):
        tflite.save_tflite(damaged, tft_output, recipe, str(tmp_path))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file(variants: dict[str, str], tmp_path: Path, share: float) -> None:
    content = Path(variants["int8"]).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(share * len(content))])
    assert problem_of(str(path), INT8, NUM_PARAMETERS).startswith("not a whole TFLite file: ")


@pytest.mark.parametrize("name", RECIPES)
def test_operators_outside_xnnpack(variants: dict[str, str], name: str) -> None:
    path = variants[name]
    assert tflite_checks.undelegated_operators(litert.make_interpreter(path)) == set()
    without = litert.make_interpreter(path, xnnpack=False)
    assert tflite_checks.undelegated_operators(without) == set(flatbuffer.operators(path))
