"""How the report spells numbers, checks and verdicts."""

import math

import pytest

from pipeline.report import formatting
from pipeline.verdict.checks import SOUND_FILE, UNITS, VARYING_LOGITS, Check, Unit


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


def test_every_check_with_a_unit_has_a_title_and_a_form() -> None:
    assert UNITS.keys() == formatting.TITLES.keys() - {
        *("evaluator_blessing", SOUND_FILE, VARYING_LOGITS)
    }
    assert formatting._FORMS.keys() == set(Unit)


@pytest.mark.parametrize(
    ("name", "value", "limit", "images", "expected"),
    [
        (
            "max_accuracy_drop",
            2 / 36,
            0.005,
            36,
            "5.56 points (2 of 36 images), at most 0.50 points",
        ),
        ("min_agreement", 0.9, 0.999, 30, "90.00_% (27 of 30 images), at least 99.90_%"),
        ("min_accuracy", 0.9, 0.97, 10_000, "90.00_% (9,000 of 10,000 images), at least 97.00_%"),
        ("min_accuracy", math.nan, 0.97, 30, "NaN, at least 97.00_%"),
    ],
)
def test_shares_of_images_are_also_counted(
    name: str, value: float, limit: float, images: int, expected: str
) -> None:
    found = formatting.sentence(Check(name, value, limit, images))
    assert found == expected.replace("_", "\u202f")


def test_what_else_there_is_to_tell_comes_last() -> None:
    check = Check("max_failed_runtimes", 1, 0, detail="tflm crashed")
    assert formatting.sentence(check) == "1, at most 0 (tflm crashed)"


def test_interval() -> None:
    assert formatting.interval((0.8865, 1.0)) == "88.65\u2013100.00\u202f%"
    assert formatting.interval(None) == "\u2013"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("7", "7"),
        ("two\n lines\t", "two lines"),
        ("twelve signs", "twelve signs"),
        ("species number 17", "specie\u2026er 17"),
    ],
)
def test_names_that_are_too_long_lose_their_middle(name: str, expected: str) -> None:
    """Their ends are what tells classes apart."""
    assert formatting.short(name, 12) == expected
    assert len(formatting.short(name, 12)) <= 12


def test_kinds_of_images() -> None:
    assert formatting.image_kind((20, 30, 1)) == "20 \u00d7 30 pixels, grey"
    assert formatting.image_kind((32, 32, 3)) == "32 \u00d7 32 pixels, in colours"
