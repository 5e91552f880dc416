"""Why a TFLite file is refused."""

import numpy as np
import pytest

from modules.export import tflite_checks
from modules.export.recipes import FLOAT32, Recipe
from modules.export.tflite_checks import ConversionError

NUM_PARAMETERS = 824_458
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)


def problem_of(path: str, recipe: Recipe = FLOAT32, expected_bytes: int = WEIGHTS.nbytes) -> str:
    """Returns what the check says of a model, and that it names the file."""
    with pytest.raises(ConversionError) as caught:
        tflite_checks.check_tflite(path, recipe, expected_bytes)
    file, _, problem = str(caught.value).partition(": ")
    assert file == path
    return problem
