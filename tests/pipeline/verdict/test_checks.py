"""One value against its limit."""

import math

import pytest

from pipeline.verdict.checks import Check, Direction, Outcome, Unit, worst


@pytest.mark.parametrize(
    ("name", "direction", "passing", "failing"),
    [
        ("min_accuracy", Direction.AT_LEAST, (0.5, 0.6, math.inf), (0.4999, math.nan)),
        ("max_bytes", Direction.AT_MOST, (0.5, 0.4, -math.inf), (0.5001, math.nan)),
        ("sound_file", Direction.MUST_BE, (0.5,), (0.0, 1.0, math.nan)),
    ],
)
def test_direction_of_a_check_decides(
    name: str, direction: Direction, passing: tuple[float, ...], failing: tuple[float, ...]
) -> None:
    checks = {value: Check(name, value, 0.5) for value in (*passing, *failing)}
    assert {check.direction for check in checks.values()} == {direction}
    for value, check in checks.items():
        assert check.passed is (value in passing)


def test_unit_is_that_of_the_name() -> None:
    assert Check("max_bytes", 1, 2).unit == Unit.BYTES
    assert Check("max_class_logit_shift", 1, 2).unit == Unit.LOGIT_SPREAD
    assert Check("sound_file", 1, 1).unit is None
    assert Check("max_unheard_of", 1, 2).unit is None


@pytest.mark.parametrize(
    ("value", "within_chance", "outcome"),
    [
        (2, False, Outcome.PASSED),
        (2, True, Outcome.PASSED),
        (3, True, Outcome.UNDECIDED),
        (3, False, Outcome.FAILED),
    ],
)
def test_chance_matters_beyond_the_limit_only(
    value: int, within_chance: bool, outcome: Outcome
) -> None:
    check = Check("max_bytes", value, 2, within_chance=within_chance)
    assert check.outcome == outcome
    assert check.passed == (outcome == Outcome.PASSED)


def test_the_worst_is_by_what_came_of_it_and_then_by_how_far_it_is() -> None:
    most = [Check("max_bytes", value, 4) for value in (1, 5, math.nan, 9)]
    assert worst(most) is most[2]
    assert worst([most[0], most[1], most[3]]) is most[3]
    least = [Check("min_accuracy", value, 0.5) for value in (0.6, 0.9, 0.55)]
    assert worst(least) is least[2]
    excused = Check("max_bytes", 50, 4, within_chance=True)
    assert worst([excused, most[1]]) is most[1] and worst([most[0], excused]) is excused
