"""What a runtime's answers come to, held against XNNPACK's on the same images."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from modules.inference.runtimes.running import Answers
from pipeline.verdict.runtimes import compared
from pipeline.verdict.runtimes.compared import ComparedFile, Difference
from pipeline.verdict.runtimes.measuring import measure

SCALE = 0.5
STORED = np.array([[10, 0, -4], [0, 8, 7], [1, 2, 9], [6, 5, -9]], np.int8)
LABELS, ROWS = np.array([0, 2, 2, 0]), np.array([3, 40, 77, 99])


def answers(stored: np.ndarray, is_quantized: bool = True) -> Answers:
    return Answers(stored.astype(np.float32) * SCALE, stored, is_quantized, seconds=0.2)


def test_the_same_answers_differ_in_nothing() -> None:
    found = measure(answers(STORED), answers(STORED), LABELS, ROWS, tie=0)
    assert found == compared.RuntimeMetrics(4, 0.75, 1.0, 1.0, 0, 0, 0, 0.0, 50.0, None)


def test_others_are_counted_and_the_first_is_named() -> None:
    """The second image becomes right, the third wrong, of the fourth only numbers change."""
    other = STORED.copy()
    other[1] = [0, 7, 8]
    other[2] = [20, 2, 9]
    other[3, 2] = 4
    found = measure(answers(other), answers(STORED), LABELS, ROWS, tie=0)
    assert (found.accuracy, found.agreement, found.agreement_but_for_ties) == (0.75, 0.5, 0.5)
    assert (found.lost, found.gained) == (1, 1)
    assert (found.max_step_difference, found.max_logit_difference) == (19, 9.5)
    assert found.first_difference == Difference(image=40, label=2, expected=1, found=2)
    # XNNPACK has the classes of the second image one step apart, of a spread of some six.
    assert (
        measure(answers(other), answers(STORED), LABELS, ROWS, 0.2).agreement_but_for_ties == 0.75
    )


def test_floats_have_no_steps_and_a_nan_stays_one() -> None:
    real = STORED.astype(np.float32)
    broken = real.copy()
    broken[0, 0] = math.nan
    found = measure(answers(broken, False), answers(real, False), LABELS, ROWS, tie=0)
    assert found.max_step_difference is None and math.isnan(found.max_logit_difference)


@pytest.mark.parametrize("spread", [3.25, None])
def test_they_survive_the_file(tmp_path: Path, spread: float | None) -> None:
    metrics = measure(answers(-STORED), answers(STORED), LABELS, ROWS, tie=0)
    nan = dataclasses.replace(metrics, max_logit_difference=math.inf, first_difference=None)
    file = ComparedFile("12ab", spread, {"tflm": metrics, "jvm": nan}, {"wasm": "no"}, ("wasm",))
    compared.write({"int8": file}, tmp_path / "new")
    assert compared.read(tmp_path / "new") == {"int8": file}
