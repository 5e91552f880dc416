"""Verdicts on few images, few classes and networks that learned nothing."""

import dataclasses

import numpy as np
import pytest

from pipeline.verdict import judge
from pipeline.verdict.checks import Outcome
from pipeline.verdict.limits import Limits
from pipeline.verdict.measured import Labels
from pipeline.verdict.verdict import REFERENCE, JudgedModel
from tests.pipeline.verdict.judging.models_to_judge import answering

LIMITS = Limits()


def judged(
    true: np.ndarray,
    wrong: tuple[int, ...] = (),
    lost: tuple[int, ...] = (),
    num_classes: int = 10,
    limits: Limits = LIMITS,
) -> tuple[JudgedModel, JudgedModel]:
    """Returns the verdicts on the SavedModel and on an int8 model.

    Args:
      true: int64[N], the labels.
      wrong: rows that both get wrong.
      lost: rows that the int8 model gets wrong besides.
      num_classes: of the network.
      limits: that decide.
    """
    right = np.ones(len(true), bool)
    right[list(wrong)] = False
    also = right.copy()
    also[list(lost)] = False
    models = {
        REFERENCE: answering(REFERENCE, right, true, num_classes),
        "int8": answering("int8", also, true, num_classes),
    }
    labels = Labels(true, true)
    server, device = (
        judge.judge(model, models[REFERENCE], labels, limits) for model in models.values()
    )
    return server, device


def shares_failed(model: JudgedModel) -> set[str]:
    """The checks on answers that a model failed; those on logits are beside the point here."""
    names = {check.name for check in model.failed_checks}
    return {name for name in names if "logit" not in name}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("num_classes", [2, 3, 100])
@pytest.mark.parametrize("images", [10, 30])
def test_a_good_network_on_a_handful_of_images(images: int, num_classes: int) -> None:
    """Also where most classes have no image."""
    server, device = judged(np.arange(images) % num_classes, num_classes=num_classes)
    assert server.outcome == device.outcome == Outcome.PASSED
    assert server.accuracy_interval[0] < 0.9
    assert server.accuracy_interval[1] == 1


def test_one_image_lost_of_ten_is_too_little_to_tell() -> None:
    server, device = judged(np.arange(10), lost=(3,))
    assert server.outcome == Outcome.PASSED
    assert shares_failed(device) == set()
    undecided = {check.name for check in device.undecided_checks}
    assert {"max_accuracy_drop", "max_class_accuracy_drop", "min_agreement"} <= undecided
    assert {"min_accuracy", "max_hard_accuracy_drop"} <= undecided


def test_three_images_lost_of_364_are_too_little_to_tell_and_ten_are_not() -> None:
    true = np.arange(364) % 10
    _, three = judged(true, wrong=(1, 2), lost=(10, 51, 202))
    assert shares_failed(three) == set() and three.undecided_checks
    _, ten = judged(true, wrong=(1, 2), lost=tuple(range(30, 130, 10)))
    assert {"max_accuracy_drop", "max_class_accuracy_drop", "min_agreement"} <= shares_failed(ten)


def test_a_class_of_three_images_does_not_decide_but_one_of_thirty_does() -> None:
    few = np.array([0] * 200 + [1] * 200 + [2] * 3)
    _, device = judged(few, lost=(400, 401, 402), num_classes=3)
    assert "max_class_accuracy_drop" not in shares_failed(device)
    more = np.array([0] * 200 + [1] * 200 + [2] * 30)
    _, device = judged(more, lost=tuple(range(400, 430)), num_classes=3)
    [check] = [check for check in device.failed_checks if check.name == "max_class_accuracy_drop"]
    assert (check.value, check.images) == (1.0, 30)


def test_on_ten_thousand_images_nothing_is_excused() -> None:
    true = np.arange(10_000) % 10
    spread = tuple(range(0, 1000, 91))  # eleven images, of all classes
    _, device = judged(true, lost=spread)
    assert shares_failed(device) == {"max_accuracy_drop"}
    _, device = judged(true, lost=spread[1:])
    assert shares_failed(device) == set() and not device.undecided_checks


def test_what_cannot_be_told_is_pushed_or_not_as_the_limits_say() -> None:
    true = np.arange(364) % 10
    strict = dataclasses.replace(LIMITS, max_undecided_checks=0)
    for lost, limit_is_kept in (((), True), ((10,), False)):
        _, device = judged(true, lost=lost, limits=strict)
        [check] = [check for check in device.checks if check.name == "max_undecided_checks"]
        assert check.passed == limit_is_kept
        assert check.value == len(device.undecided_checks)
    _, device = judged(true, lost=(10,))
    assert "max_undecided_checks" not in {check.name for check in device.checks}


@pytest.mark.parametrize(
    ("images", "right", "outcome"),
    [
        (10_000, 10_000, Outcome.PASSED),
        (10_000, 5_050, Outcome.FAILED),  # a half is what naming one class gets
        (10, 10, Outcome.PASSED),
        (2, 2, Outcome.UNDECIDED),
        (10, 7, Outcome.FAILED),
        (10, 5, Outcome.FAILED),
    ],
)
def test_a_network_has_learned_when_it_is_better_than_naming_one_class(
    images: int, right: int, outcome: Outcome
) -> None:
    both = judged(np.arange(images) % 2, wrong=tuple(range(right, images)), num_classes=2)
    for model in both:  # of the network, and so of what is made of it
        [check] = [check for check in model.checks if check.name == "min_learned_accuracy"]
        assert (check.outcome, check.limit) == (outcome, 0.5)
        assert model.blessed or outcome == Outcome.FAILED or model.name == "int8"


@pytest.mark.parametrize("num_classes", [1, 3])
def test_of_one_class_nothing_is_learned(num_classes: int) -> None:
    for model in judged(np.zeros(50, int), num_classes=num_classes):
        assert "min_learned_accuracy" in shares_failed(model)


@pytest.mark.filterwarnings("error")
def test_a_constant_network_is_said_to_be_one() -> None:
    true = np.arange(40) % 4
    right = true == 0
    models = {name: answering(name, right, true, 4) for name in (REFERENCE, "int8")}
    for values in (np.zeros((40, 4), np.float32), np.tile(np.float32([2, 1, 0, 0]), (40, 1))):
        same = {
            name: dataclasses.replace(
                model, logits=model.logits._replace(test=values, hard=values, alone=values)
            )
            for name, model in models.items()
        }
        for model in same.values():
            found = judge.judge(model, same[REFERENCE], Labels(true, true), LIMITS)
            assert {"varying_logits", "min_learned_accuracy"} <= {
                check.name for check in found.failed_checks
            }
            assert not any(np.isnan(check.value) for check in found.checks)
