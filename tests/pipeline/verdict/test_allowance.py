"""What the limits allow on small sets: as they stand on large ones, and never much more."""

import numpy as np
import pytest

from modules.export.recipes import RECIPES
from pipeline.verdict import allowance
from pipeline.verdict.checks import Check, Outcome
from pipeline.verdict.limits import Limits

LIMITS = Limits()


@pytest.mark.parametrize("recipe", RECIPES)
def test_on_ten_thousand_images_every_limit_on_a_share_is_as_it_stands(recipe: str) -> None:
    share = 1 - LIMITS.variants[recipe].min_agreement
    assert allowance.most_missed(10_000, share, LIMITS) == share * 10_000
    assert allowance.least_accuracy(10_000, LIMITS) == pytest.approx(LIMITS.min_accuracy)
    assert allowance.largest_drop(10_000, LIMITS) == LIMITS.max_drop_from_last


@pytest.mark.parametrize(
    ("images", "share", "expected"),
    [
        (1, 0.005, 1),
        (10, 0.005, 1),
        (364, 0.001, 2),
        (364, 0.005, 4),
        (799, 0.005, 4),  # chance alone would excuse eight
        (800, 0.005, 4),
        (10, 0.0, 0),  # nothing is nothing, on any set
    ],
)
def test_chance_excuses_a_few_images(images: int, share: float, expected: float) -> None:
    assert allowance.most_missed(images, share, LIMITS) == pytest.approx(expected)


def test_what_is_allowed_never_falls_as_images_are_added() -> None:
    allowed = [allowance.most_missed(images, 0.005, LIMITS) for images in range(1, 2000)]
    assert allowed == sorted(allowed)


@pytest.mark.parametrize(
    ("images", "value", "outcome"),
    [
        (10_000, 0.9700, Outcome.PASSED),
        (10_000, 0.9699, Outcome.FAILED),
        (30, 29 / 30, Outcome.UNDECIDED),
        (30, 27 / 30, Outcome.UNDECIDED),
        (30, 26 / 30, Outcome.FAILED),
        (30, float("nan"), Outcome.FAILED),
    ],
)
def test_least_accuracy_on_many_and_on_few_images(
    images: int, value: float, outcome: Outcome
) -> None:
    check = allowance.check_share(
        "min_accuracy", value, 0.97, images, allowance.least_accuracy(images, LIMITS)
    )
    assert check.outcome == outcome
    assert (check.limit, check.images) == (0.97, images)


@pytest.mark.parametrize(
    ("images", "lost", "outcome"),
    [
        (10_000, 50, Outcome.PASSED),
        (10_000, 51, Outcome.FAILED),
        (364, 1, Outcome.PASSED),
        (364, 4, Outcome.UNDECIDED),
        (364, 5, Outcome.FAILED),
        (3, 3, Outcome.UNDECIDED),
    ],
)
def test_drop_from_the_last_model(images: int, lost: int, outcome: Outcome) -> None:
    check = allowance.check_share(
        "max_drop_from_last",
        round(lost / images, 6),
        LIMITS.max_drop_from_last,
        images,
        allowance.largest_drop(images, LIMITS),
    )
    assert check.outcome == outcome


def _lost(images: int, lost: int, gained: int, value: float | None = None) -> Check:
    theirs, ours = np.ones(images, bool), np.ones(images, bool)
    ours[:lost] = False
    theirs[lost : lost + gained] = False
    found = round((lost - gained) / images, 6) if value is None else value
    return allowance.check_lost("max_accuracy_drop", found, 0.0005, (theirs, ours), LIMITS)


@pytest.mark.parametrize(
    ("images", "lost", "gained", "outcome"),
    [
        (10_000, 5, 0, Outcome.PASSED),
        (10_000, 6, 0, Outcome.FAILED),
        (364, 2, 2, Outcome.PASSED),
        (364, 1, 0, Outcome.UNDECIDED),
        (364, 3, 0, Outcome.UNDECIDED),
        (364, 5, 0, Outcome.FAILED),
        (364, 6, 1, Outcome.UNDECIDED),
        (3, 3, 0, Outcome.UNDECIDED),
    ],
)
def test_lost_images_count_against_those_that_are_gained(
    images: int, lost: int, gained: int, outcome: Outcome
) -> None:
    assert _lost(images, lost, gained).outcome == outcome


def test_chance_is_no_excuse_where_the_evaluator_counted_something_else() -> None:
    assert _lost(364, 1, 0, value=0.5).outcome == Outcome.FAILED
    assert _lost(364, 0, 0, value=float("nan")).outcome == Outcome.FAILED


def test_a_mean_that_hangs_on_one_image_is_not_held_against_a_model() -> None:
    differences = np.zeros(30)
    differences[4] = 0.6
    mean = float(differences.mean())
    arguments = ("max_loss_difference", mean, 0.01)
    one = allowance.check_mean(*arguments, differences, LIMITS)
    every = allowance.check_mean(*arguments, np.full(30, mean), LIMITS)
    assert (one.outcome, every.outcome) == (Outcome.UNDECIDED, Outcome.FAILED)
    broken = allowance.check_mean("max_loss_difference", float("nan"), 0.01, differences, LIMITS)
    assert broken.outcome == Outcome.FAILED
