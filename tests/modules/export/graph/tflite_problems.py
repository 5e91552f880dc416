"""Why a TFLite file is refused."""

import numpy as np
import pytest

from data.task import Task
from modules.export import tflite_checks
from modules.export.facts import Baseline
from modules.export.recipes import FLOAT32, Recipe
from modules.export.tflite_checks import ConversionError

DIGITS = Task("digits", (28, 28, 1), tuple("0123456789"))
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
OF_WEIGHTS = Baseline(operators=1, weights=7840, large_kernels=7840, overhead_bytes=2048)


def problem_of(path: str, recipe: Recipe = FLOAT32, baseline: Baseline = OF_WEIGHTS) -> str:
    """Returns what the check says of a model, and that it names the file."""
    with pytest.raises(ConversionError) as caught:
        tflite_checks.check_tflite(path, recipe, DIGITS, baseline)
    file, _, problem = str(caught.value).partition(": ")
    assert file == path
    return problem
