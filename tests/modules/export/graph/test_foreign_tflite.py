"""Files that are no model of their recipe: others, altered ones, cut ones."""

import re
from pathlib import Path

import jax
import numpy as np
import pytest

from modules.export import tflite, tflite_checks
from modules.export.facts import Baseline
from modules.export.graph.flatbuffer import ConversionError
from modules.export.recipes import DYNAMIC_RANGE, FLOAT16, FLOAT32, INT8, INT8_IO, RECIPES, Recipe
from modules.export.trained import Trained
from tests.modules.export.graph.tflite_problems import DIGITS, problem_of
from tests.support.digit_models import DigitModels


@pytest.fixture(scope="module")
def baseline(digit_models: DigitModels) -> Baseline:
    """What the network needs."""
    return digit_models.converted["float32"].facts.baseline


@pytest.mark.parametrize(
    ("converted_by", "checked_as", "problem"),
    [
        ("float32", INT8_IO, "inputs of float32, expected int8"),
        ("int8_io", INT8, "inputs of int8, expected float32"),
        ("float32", FLOAT16, r"3,3\d\d,\d{3} bytes, .* 1,69\d,\d{3} for weights of 2 byte"),
        ("float32", DYNAMIC_RANGE, r"3,3\d\d,\d{3} bytes, .* recipe dynamic_range did not reach"),
        (
            "float16",
            DYNAMIC_RANGE,
            r"1,65\d,\d{3} bytes, expected at most 86\d,\d{3} for .* 1 byte",
        ),
        ("dynamic_range", INT8, "activations are floats, which the recipe int8 does not make"),
        ("float16", FLOAT32, "most weights are FLOAT16, expected FLOAT32, as the recipe float32"),
        ("dynamic_range", FLOAT32, "most weights are INT8, expected FLOAT32"),
        ("dynamic_range", FLOAT16, "most weights are INT8, expected FLOAT16"),
        ("int8", DYNAMIC_RANGE, "activations are INT8, which the recipe dynamic_range does not"),
    ],
)
def test_model_of_another_recipe(
    variants: dict[str, str],
    baseline: Baseline,
    converted_by: str,
    checked_as: Recipe,
    problem: str,
) -> None:
    found = problem_of(variants[converted_by], checked_as, baseline)
    assert re.match(problem, found), found


@pytest.mark.parametrize("checked_as", RECIPES)
@pytest.mark.parametrize("converted_by", RECIPES)
def test_a_file_passes_as_that_of_its_own_recipe_only(
    variants: dict[str, str], baseline: Baseline, converted_by: str, checked_as: str
) -> None:
    recipe, path = RECIPES[checked_as], variants[converted_by]
    if converted_by == checked_as:
        tflite_checks.check_tflite(path, recipe, DIGITS, baseline)
    else:
        assert problem_of(path, recipe, baseline)


@pytest.mark.parametrize("recipe", [FLOAT32, FLOAT16], ids=["float32", "float16"])
def test_weight_that_is_nan(
    trained: Trained, tmp_path: Path, variants: dict[str, str], recipe: Recipe
) -> None:
    """Integers cannot say it: with the other recipes only the comparison with JAX shows it."""
    damaged = jax.tree.map(np.array, trained.variables)
    damaged["params"]["Dense_0"]["kernel"][5, 5] = np.nan
    broken = Trained(trained.network, damaged, trained.tft_output)
    with pytest.raises(ConversionError, match="logits of plain images are not finite$"):
        tflite.save_tflite(broken, recipe, str(tmp_path), None, variants["float32"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file(variants: dict[str, str], tmp_path: Path, share: float) -> None:
    content = Path(variants["int8"]).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(share * len(content))])
    assert problem_of(str(path), INT8).startswith("not a whole TFLite file: ")
