"""Who may ship by what other runtimes make of the same file."""

import dataclasses
import math

import pytest

from pipeline.verdict import judge
from pipeline.verdict.checks import Check
from pipeline.verdict.limits import Limits
from pipeline.verdict.runtimes.compared import ComparedFile, Difference, RuntimeMetrics
from pipeline.verdict.runtimes.runtime_checks import runtime_checks
from tests.pipeline.verdict.judging.models_to_judge import LIMITS, REFERENCE, labels, measured

SAME = RuntimeMetrics(
    images=10_000,
    accuracy=0.99,
    agreement=1.0,
    agreement_but_for_ties=1.0,
    lost=0,
    gained=0,
    max_step_difference=0,
    max_logit_difference=0.0,
    ms_per_image=1.5,
    first_difference=None,
)
FIRST = Difference(17, 3, 3, 5)


def file(failed: tuple[str, ...] = (), **runtimes: RuntimeMetrics) -> ComparedFile:
    """A file that XNNPACK runs, with what others make of it."""
    not_run = {name: f"{name} crashed" for name in failed}
    return ComparedFile("12ab", 2.0, {"xnnpack": SAME, **runtimes}, not_run, failed)


def checks(compared: ComparedFile, limits: Limits = LIMITS) -> dict[str, Check]:
    return {check.name: check for check in runtime_checks("int8", compared, limits)}


def test_the_same_answers_pass_all() -> None:
    found = checks(file(tflm=SAME, jvm=SAME))
    assert list(found) == [
        *("max_failed_runtimes", "min_runtime_agreement"),
        *("max_runtime_accuracy_drop", "max_runtime_logit_difference"),
    ]
    assert all(check.passed for check in found.values())


def test_the_worst_runtime_decides_and_is_named_with_its_first_image() -> None:
    worse = dataclasses.replace(
        SAME, agreement=0.99, agreement_but_for_ties=0.998, first_difference=FIRST
    )
    further = dataclasses.replace(SAME, max_logit_difference=0.5)
    lost = dataclasses.replace(SAME, accuracy=0.98, lost=110, gained=10)
    found = checks(file(tflm=worse, wasm=further, jvm=lost))
    assert not any(found[name].passed for name in list(found)[1:])
    agreement = found["min_runtime_agreement"]
    assert (agreement.value, agreement.limit, agreement.images) == (0.998, 0.999, 10_000)
    assert agreement.detail == ("tflm, which first differs on test image 17: class 5 instead of 3")
    assert (found["max_runtime_logit_difference"].value, LIMITS.variants["int8"]) == (
        0.25,
        dataclasses.replace(LIMITS.variants["int8"], max_runtime_logit_difference=0.1),
    )
    assert found["max_runtime_logit_difference"].detail == "wasm"
    assert found["max_runtime_accuracy_drop"].value == 0.01
    assert found["max_runtime_accuracy_drop"].detail == "jvm"


@pytest.mark.parametrize(
    ("missed", "outcome"), [(0, "passed"), (1, "not enough images to tell"), (3, "failed")]
)
def test_one_of_few_images_is_no_evidence(missed: int, outcome: str) -> None:
    few = dataclasses.replace(SAME, images=256, agreement_but_for_ties=1 - missed / 256)
    assert checks(file(tflm=few))["min_runtime_agreement"].outcome == outcome


def test_a_nan_is_beyond_any_limit() -> None:
    broken = dataclasses.replace(SAME, max_logit_difference=math.nan)
    assert not checks(file(tflm=broken, jvm=SAME))["max_runtime_logit_difference"].passed


def test_who_fails_over_a_file_is_named() -> None:
    (found,) = checks(file(failed=("wasm", "jvm"))).values()
    assert (found.name, found.value, found.passed) == ("max_failed_runtimes", 2, False)
    assert found.detail == "wasm crashed; jvm crashed"


def test_what_is_advisory_is_told_and_decides_nothing() -> None:
    off = dataclasses.replace(SAME, agreement_but_for_ties=0.5, max_logit_difference=9.0)
    told = file(failed=("reference",), jvm=SAME)
    assert all(check.passed for check in checks(told).values())
    assert all(check.passed for check in checks(file(reference=off, jvm=SAME)).values())
    strict = dataclasses.replace(LIMITS, advisory_runtimes=())
    assert not checks(file(reference=off), strict)["min_runtime_agreement"].passed
    assert list(checks(file(reference=off))) == ["max_failed_runtimes"]


def test_the_verdict_has_them_and_holds_the_model_back() -> None:
    differing = dataclasses.replace(SAME, agreement_but_for_ties=0.5, first_difference=FIRST)
    sound, bad = (
        judge.judge(measured(compared=file(tflm=each)), REFERENCE, labels(), LIMITS)
        for each in (SAME, differing)
    )
    assert sound.blessed and list(sound.runtimes) == ["xnnpack", "tflm"]
    assert [check.name for check in bad.failed_checks] == ["min_runtime_agreement"]
    alone = dataclasses.replace(file(), not_run={"tflm": "tflm needs make"})
    judged = judge.judge(measured(compared=alone), REFERENCE, labels(), LIMITS)
    assert judged.blessed and judged.runtimes_not_run == {"tflm": "tflm needs make"}
