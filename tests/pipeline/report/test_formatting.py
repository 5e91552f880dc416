"""How the report spells numbers, checks and verdicts."""

import math

import pytest

from pipeline.report import formatting
from pipeline.verdict.verdict import UNITS, Check, Unit
from tests.pipeline.report.report_pages import model


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.9836, "98.36\u202f%"),
        (-0.0000001, "0.00\u202f%"),
        (-0.01, "\u22121.00\u202f%"),
        (math.nan, "NaN"),
        (None, "\u2013"),
    ],
)
def test_share(value: float | None, expected: str) -> None:
    assert formatting.share(value) == expected


def test_number_and_points() -> None:
    assert formatting.number(-1.5e-5, ".2g") == "\u22121.5e\u221205"
    assert formatting.number(math.inf) == "inf"
    assert formatting.points(-0.00104) == "\u22120.10"
    assert formatting.points(math.nan) == "NaN"


def test_size() -> None:
    assert formatting.size(1023 * 1024) == "1,023.0\u202fKiB"
    assert formatting.size(1024 * 1024) == "1.00\u202fMiB"
    assert formatting.size(1024 * 1024 * 1.23456, 4) == "1.2346\u202fMiB"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.002, "<_0.1_s"), (0.05, "0.1_s"), (9.96, "10.0_s"), (99.96, "100_s"), (1234.5, "1,234_s")],
)
def test_seconds(value: float, expected: str) -> None:
    assert formatting.seconds(value) == expected.replace("_", "\u202f")


@pytest.mark.parametrize(
    ("name", "value", "limit", "expected"),
    [
        ("min_accuracy", 0.98, 0.97, "98.00_%, at least 97.00_%"),
        ("min_accuracy", 0.97, 0.97, "97.00_%, at least 97.00_%"),
        ("min_accuracy", 0.96996, 0.97, "96.996_%, at least 97.000_%"),
        ("min_accuracy", math.nan, 0.97, "NaN, at least 97.00_%"),
        ("max_accuracy_drop", -0.0002, 0.001, "\u22120.02 points, at most 0.10 points"),
        ("max_loss_difference", 0.00051, 0.0005, "0.00051 nats, at most 0.00050 nats"),
        ("max_bytes", 921_601, 921_600, "900.001_KiB, at most 900.000_KiB"),
        ("max_bytes", 1_048_576, 921_600, "1.00_MiB, at most 900.00_KiB"),
        ("max_latency_us", 154.25, 110, "154.2 µs, at most 110 µs"),
        ("max_nonfinite_answers", 3, 0, "3, at most 0"),
        ("max_nonfinite_answers", 1234, 0, "1,234, at most 0"),
        ("max_logit_scale_error", 0.2, 0.03, "20.00_%, at most 3.00_%"),
        (
            "max_logit_difference",
            0.2,
            math.inf,
            "20.00 % of their spread, at most inf % of their spread",
        ),
        ("max_unheard_of", 1234.5, 800, "1234, at most 800"),
        ("min_unheard_of", 1, 2, "1, at least 2"),
        ("evaluator_blessing", 1, 1, "yes, must be yes"),
        ("evaluator_blessing", 0, 1, "no, must be yes"),
    ],
)
def test_sentence_tells_value_and_limit_apart(
    name: str, value: float, limit: float, expected: str
) -> None:
    assert formatting.sentence(Check(name, value, limit)) == expected.replace("_", "\u202f")


@pytest.mark.parametrize(
    ("name", "value", "limit", "expected", "suffix"),
    [
        ("max_accuracy_drop", -0.0002, 0.001, ("\u22120.02", "0.10"), "points"),
        ("max_loss_difference", 0.00051, 0.0005, ("0.00051", "0.00050"), "nats"),
        ("max_latency_us", 154.25, 110, ("154.2", "110"), "µs"),
        ("min_accuracy", math.nan, 0.97, ("NaN", "97.00\u202f%"), ""),
        ("sound_file", 0, 1, ("no", "yes"), ""),
    ],
)
def test_value_and_limit_leave_the_unit_to_the_heading(
    name: str, value: float, limit: float, expected: tuple[str, str], suffix: str
) -> None:
    check = Check(name, value, limit)
    assert (formatting.measured(check), formatting.suffix(check)) == (expected, suffix)


def test_reasons_are_the_failed_checks_by_what_they_measure() -> None:
    checks = (
        Check("min_agreement", 0.99, 0.999),
        Check("min_accuracy", 0.99, 0.97),
        Check("max_hard_accuracy_drop", 0.02, 0.01),
        Check("min_unheard_of", 1, 2),
    )
    assert formatting.reasons(model("int8", checks=checks)) == [
        "agreement with the reference: 99.00\u202f%, at least 99.90\u202f%",
        "accuracy lost on the hard set: 2.00 points, at most 1.00 points",
        "min_unheard_of: 1, at least 2",
    ]
    assert formatting.reasons(model("int8")) == []


def test_every_check_with_a_unit_has_a_title_and_a_form() -> None:
    assert UNITS.keys() == formatting.TITLES.keys() - {"evaluator_blessing", "sound_file"}
    assert formatting._FORMS.keys() == set(Unit)


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
    assert formatting.headline(models) == expected
