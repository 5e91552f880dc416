"""What the report concludes of a network and of its models."""

import pytest

from pipeline.report import conclusions
from pipeline.verdict.checks import Check
from pipeline.verdict.judge import refuse
from pipeline.verdict.measured import Refused
from pipeline.verdict.verdict import Conversion, JudgedModel, Metrics
from tests.support.report.report_pages import model, verdict

UNDECIDED = Check("min_agreement", 0.9, 0.999, 30, within_chance=True)


def test_reasons_are_the_failed_checks_by_what_they_measure() -> None:
    checks = (
        Check("min_agreement", 0.99, 0.999),
        Check("min_accuracy", 0.99, 0.97),
        Check("max_hard_accuracy_drop", 0.02, 0.01),
        Check("min_unheard_of", 1, 2),
    )
    assert conclusions.reasons(model("int8", checks=checks)) == [
        "agreement with the reference: 99.00\u202f%, at least 99.90\u202f%",
        "accuracy lost on the hard set: 2.00 points, at most 1.00 points",
        "min_unheard_of: 1, at least 2",
    ]
    assert conclusions.reasons(model("int8")) == []


@pytest.mark.parametrize(
    ("pushed", "expected"),
    [
        ((True, True), "Every model passed its checks and was pushed"),
        ((True, False), "1 of 2 models was pushed"),
        ((True, True, False), "2 of 3 models were pushed"),
        ((False, False), "None of 2 models was pushed"),
    ],
)
def test_headline(pushed: tuple[bool, ...], expected: str) -> None:
    models = [model("float32", pushed_to="/srv" if was_pushed else None) for was_pushed in pushed]
    assert conclusions.headline(models) == expected


def test_headline_says_for_how_many_models_images_are_too_few() -> None:
    doubtful = model("int8", checks=(UNDECIDED,))
    assert conclusions.headline([model("saved_model"), doubtful]) == (
        "Every model was pushed; 1 has checks that too few images decide"
    )
    assert conclusions.headline([doubtful, doubtful]).startswith("Every model was pushed; 2 have")


def test_doubts_are_of_models_that_may_ship() -> None:
    found = ["agreement with the reference: 90.00\u202f% (27 of 30 images), at least 99.90\u202f%"]
    assert conclusions.doubts(model("int8", checks=(UNDECIDED,))) == found
    failed = model("int8", checks=(UNDECIDED, Check("max_bytes", 3, 2)))
    assert conclusions.doubts(failed) == []
    assert conclusions.reasons(failed) == ["size: 0.003\u202fKiB, at most 0.002\u202fKiB"]
    assert conclusions.doubts(refuse(Refused("int8", None, "no kernel"))) == []


LEARNED_LITTLE = Check("min_learned_accuracy", 0.08, 0.104)


@pytest.mark.parametrize(
    ("checks", "expected", "reason"),
    [
        ((), None, None),
        ((Check("min_accuracy", 0.3, 0.97),), None, None),
        (
            (LEARNED_LITTLE, Check("min_accuracy", 0.11, 0.97)),
            "The network did not learn: it gets 11.00\u202f% of the test images right, and always "
            "naming the most frequent class 10.40\u202f%.",
            "the network did not learn",
        ),
        (
            (Check("varying_logits", 0, 1), LEARNED_LITTLE),
            "The network is constant: it gives every image the same logits.",
            "the network is constant",
        ),
        (
            (Check("min_learned_accuracy", 0.9, 1.0),),
            "All test images are of one class: whether the network learned cannot be told.",
            "the network did not learn",
        ),
    ],
)
def test_what_is_wrong_with_the_network_is_said_in_one_sentence(
    checks: tuple[Check, ...], expected: str | None, reason: str | None
) -> None:
    """And it is the only reason that is given for its models."""
    server = model("saved_model", checks=checks, metrics=Metrics(0.11, 2.3))
    device = model("int8", checks=(*checks, Check("max_logit_difference", 9, 1)))
    assert conclusions.diagnosis(verdict(server, device)) == expected
    if reason:
        assert conclusions.reasons(server) == conclusions.reasons(device) == [reason]


@pytest.mark.parametrize(
    ("conversion", "expected"),
    [
        (None, []),
        (Conversion(), []),
        (
            Conversion({"MEAN": ("pool",), "SUM": ("norm/1", "norm/2")}),
            ["XNNPACK leaves to TFLite's own kernels: MEAN (pool); SUM (norm/1, norm/2)"],
        ),
        (
            Conversion(kept_in_float={"GELU": ()}, fixed_batch=1),
            ["stays in floats: GELU", "takes 1 at once, no more and no less"],
        ),
    ],
)
def test_particulars_of_a_conversion(conversion: Conversion | None, expected: list[str]) -> None:
    found: JudgedModel = model("int8", conversion=conversion)
    assert conclusions.conversion(found) == expected
