"""Logits that are not the reference's, though hardly an answer is another one."""

import math

import numpy as np
import pytest

from modules.export.recipes import RECIPES
from pipeline.verdict import device_checks
from pipeline.verdict.limits import Limits

NAN = math.nan
LOGIT_CHECKS = (
    "max_logit_scale_error",
    "max_class_logit_shift",
    "max_rms_logit_difference",
    "max_logit_difference",
)

SPREAD = np.random.default_rng(0).normal(scale=8.0, size=(500, 10)).astype(np.float32)


def _biased(by: float) -> np.ndarray:
    found = SPREAD.copy()
    found[:, 3] += by
    return found


def _wrong_once(by: float) -> np.ndarray:
    found = SPREAD.copy()
    found[17, 4] += by
    return found


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    ("found", "failed_check"),
    [
        (SPREAD * np.float32(1.2), "max_logit_scale_error"),
        (SPREAD / np.float32(1.2), "max_logit_scale_error"),
        (_biased(1.0), "max_class_logit_shift"),
        (_biased(-1.0), "max_class_logit_shift"),
        (SPREAD[:, ::-1], "max_rms_logit_difference"),
        (_wrong_once(20.0), "max_logit_difference"),
        (_wrong_once(NAN), "max_logit_difference"),
        (np.zeros_like(SPREAD), "max_logit_scale_error"),
    ],
    ids=["1.2", "1/1.2", "bias", "-bias", "labels", "once", "nan", "zero"],
)
def test_logits_that_hardly_change_an_answer_are_seen_by_every_recipes_limits(
    recipe: str, found: np.ndarray, failed_check: str
) -> None:
    limits = Limits().variants[recipe]
    checks = {check.name: check for check in device_checks.logit_checks(found, SPREAD, limits)}
    assert tuple(checks) == LOGIT_CHECKS
    assert not checks[failed_check].passed
    same = device_checks.logit_checks(SPREAD, SPREAD, limits)
    assert all(check.passed and check.value < 1e-6 for check in same)


def test_logit_differences_are_in_units_of_the_spread() -> None:
    """So that the same limits hold for a network that is ten times as sure."""
    limits = Limits().variants["int8"]
    for scale in (1, 10):
        values = {
            check.name: check.value
            for check in device_checks.logit_checks(_biased(0.8) * scale, SPREAD * scale, limits)
        }
        assert values["max_class_logit_shift"] == pytest.approx(0.8 / SPREAD.std(), rel=1e-3)
        assert values["max_logit_difference"] == pytest.approx(0.8 / SPREAD.std(), rel=1e-3)
        assert values["max_rms_logit_difference"] == pytest.approx(
            0.8 / SPREAD.std() / math.sqrt(10), rel=1e-3
        )


@pytest.mark.filterwarnings("error")
def test_a_network_without_spread_is_compared_without_dividing_by_it() -> None:
    """Equal logits are no difference, and any difference is beyond every limit."""
    limits = Limits().variants["int8"]
    nothing = np.zeros((5, 3), np.float32)
    other = nothing.copy()
    other[2, 1] = 0.5
    same = device_checks.logit_checks(nothing, nothing, limits)
    assert [check.value for check in same] == [0, 0, 0, 0]
    found = {
        check.name: check.value for check in device_checks.logit_checks(other, nothing, limits)
    }
    assert found.pop("max_logit_scale_error") == 0  # there is no slope over nothing
    assert set(found.values()) == {math.inf}
    other[2, 1] = NAN
    broken = device_checks.logit_checks(other, nothing, limits)
    assert not any(check.passed for check in broken)
