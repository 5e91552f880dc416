"""What decides on a blessing: every limit from both sides."""

import dataclasses

import numpy as np
import pytest

from pipeline.verdict import judge
from pipeline.verdict.chance import accuracy_interval
from pipeline.verdict.checks import Check
from pipeline.verdict.measured import Logits
from pipeline.verdict.verdict import HardMetrics, JudgedModel, Latency, Metrics
from tests.pipeline.verdict.judging.models_to_judge import (
    LIMITS,
    METRICS,
    NAN,
    REFERENCE,
    checks_of,
    failed,
    labels,
    logits,
    measured,
)
from tests.pipeline.verdict.judging.test_judge_logits import LOGIT_CHECKS


def test_names_values_and_limits() -> None:
    model = measured(
        accuracy=0.9905,
        per_class_accuracy={"0": 0.948, "1": 0.999},
        loss=0.034,
        hard_accuracy=0.899,
        logits=logits(flipped=5),
        last_accuracy=0.992,
    )
    found = checks_of(model)
    logit_checks = {name: found.pop(name) for name in LOGIT_CHECKS}
    assert all(check.limit == 10.0 for check in logit_checks.values())
    assert list(found.values()) == [
        Check("varying_logits", 1.0, 1.0),
        Check("min_learned_accuracy", accuracy_interval(9910, 10_000)[0], 0.5),
        Check("evaluator_blessing", 1.0, 1.0),
        Check("min_accuracy", 0.9905, 0.9, 10_000),
        Check("max_drop_from_last", 0.0015, 0.02, 10_000),
        Check("max_nonfinite_answers", 0, 0),
        Check("max_alone_difference", 0.0, 0.01),
        Check("max_evaluation_difference", 0.0, 0.001),
        Check("sound_file", 1.0, 1.0),
        Check("max_accuracy_drop", 0.0005, 0.001, 10_000),
        Check("max_class_accuracy_drop", 0.002, 0.005, 5_000),
        Check("max_hard_accuracy_drop", 0.001, 0.002, 10_000),
        Check("max_loss_difference", 0.004, 0.01),
        Check("min_agreement", 0.9995, 0.999, 10_000),
        Check("max_bytes", 300_000, 500_000),
        Check("max_latency_us", 100.0, 160.0),
    ]
    assert all(check.passed for check in found.values())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"evaluator_blessed": False}, ["evaluator_blessing"]),
        ({"accuracy": 0.990}, []),  # 0.991 - 0.990 is 0.0010000000000000009
        ({"accuracy": float(np.float32(0.990))}, []),
        ({"accuracy": 0.995}, []),
        ({"accuracy": 0.98999}, ["max_accuracy_drop"]),
        ({"accuracy": NAN}, ["min_accuracy", "max_accuracy_drop"]),
        ({"per_class_accuracy": {"0": 0.945, "1": 1.0}}, []),
        ({"per_class_accuracy": {"0": 0.95, "1": float(np.float32(0.995))}}, []),
        ({"per_class_accuracy": {"0": 0.94499, "1": 1.0}}, ["max_class_accuracy_drop"]),
        ({"per_class_accuracy": {"0": 1.0, "1": 0.994}}, ["max_class_accuracy_drop"]),
        # A NaN must not hide behind another class's drop.
        ({"per_class_accuracy": {"0": NAN, "1": 0.9}}, ["max_class_accuracy_drop"]),
        ({"per_class_accuracy": {"0": 0.9, "1": NAN}}, ["max_class_accuracy_drop"]),
        ({"hard_accuracy": 0.898}, []),
        ({"hard_accuracy": 0.8979}, ["max_hard_accuracy_drop"]),
        ({"hard_accuracy": NAN}, ["max_hard_accuracy_drop"]),
        ({"loss": 0.04}, []),
        ({"loss": 0.02}, []),
        ({"loss": 0.0401}, ["max_loss_difference"]),
        ({"loss": 0.0199}, ["max_loss_difference"]),
        ({"loss": NAN}, ["max_evaluation_difference", "max_loss_difference"]),
        ({"own_loss": 0.0309}, []),
        ({"own_loss": 0.0311}, ["max_evaluation_difference"]),
        ({"own_loss": NAN}, ["max_evaluation_difference"]),
        ({"loss": 2.0, "own_loss": 2.0019}, ["max_loss_difference"]),
        ({"contradictions": 1}, ["max_contradictions"]),
        ({"logits": logits(flipped=10)}, []),
        ({"logits": logits(flipped=11)}, ["min_agreement"]),
        ({"size_bytes": 500_000}, []),
        ({"size_bytes": 500_001}, ["max_bytes"]),
        ({"size_bytes": 500_001, "needed_bytes": 500_001}, []),
        ({"latency_us": {"batch_1": Latency(160.0, 999.0)}}, []),
        ({"latency_us": {"batch_1": Latency(161.0, 999.0)}}, ["max_latency_us"]),
        ({"last_accuracy": 1.0}, []),
        ({"last_accuracy": 1.02}, ["max_drop_from_last"]),
        ({"last_accuracy": NAN}, ["max_drop_from_last"]),
    ],
)
def test_each_limit_from_both_sides(changes: dict, expected: list[str]) -> None:
    assert failed(measured(**changes)) == expected


@pytest.mark.parametrize(("accuracy", "expected"), [(0.9, []), (0.8999, ["min_accuracy"])])
def test_least_accuracy(accuracy: float, expected: list[str]) -> None:
    """Against a reference that is no better, so that nothing is dropped."""
    reference = dataclasses.replace(
        REFERENCE, metrics=dataclasses.replace(METRICS, accuracy=accuracy)
    )
    assert failed(measured(accuracy=accuracy), reference) == expected


def test_a_reference_that_is_nan_fails_the_device_model() -> None:
    broken = dataclasses.replace(METRICS, accuracy=NAN, loss=NAN, hard_accuracy=NAN)
    reference = dataclasses.replace(REFERENCE, metrics=broken)
    assert failed(measured(), reference) == [
        "min_learned_accuracy",
        "max_accuracy_drop",
        "max_hard_accuracy_drop",
        "max_loss_difference",
    ]


def test_the_class_that_is_reported_is_the_one_furthest_beyond_its_limit() -> None:
    found = checks_of(measured(per_class_accuracy={"0": 0.93, "1": 0.97}))
    assert found["max_class_accuracy_drop"] == Check("max_class_accuracy_drop", 0.03, 0.005, 5_000)


def test_the_saved_model_is_judged_by_what_every_model_has_to_pass() -> None:
    found = judge.judge(REFERENCE, REFERENCE, labels(), LIMITS)
    assert [check.name for check in found.checks] == [
        "varying_logits",
        "min_learned_accuracy",
        "evaluator_blessing",
        "min_accuracy",
        "max_altered_files",
        "max_nonfinite_answers",
        "max_alone_difference",
        "max_evaluation_difference",
        "max_contradictions",
    ]
    assert found.blessed and found.model_type == "tf_generic"
    assert (found.agreement, found.max_abs_logit_difference) == (1.0, 0.0)
    altered = dataclasses.replace(REFERENCE, altered_files=1)
    assert not judge.judge(altered, altered, labels(), LIMITS).blessed
    unblessed = dataclasses.replace(REFERENCE, evaluator_blessed=False)
    assert not judge.judge(unblessed, unblessed, labels(), LIMITS).blessed


def test_judgement_has_all_that_was_measured_and_checked() -> None:
    found = logits(flipped=2_000)
    hard = logits(flipped=5_000).hard
    moved = found.test - np.float32(0.5)
    model = measured(logits=Logits(moved, hard, found.sampled, moved[found.sampled]))
    judged = judge.judge(model, REFERENCE, labels(), LIMITS)
    assert judged == JudgedModel(
        name="int8",
        model_type="tf_lite",
        bytes=300_000,
        metrics=Metrics(0.991, 0.03),
        accuracy_interval=accuracy_interval(9910, 10_000),
        per_class_accuracy={"0": 0.95, "1": 1.0},
        agreement=0.8,
        max_abs_logit_difference=pytest.approx(2.8, rel=1e-3),
        hard=HardMetrics(accuracy=0.9, loss=0.3, agreement=0.5),
        latency_us={"batch_1": Latency(100.0, 150.0)},
        checks=tuple(checks_of(model).values()),
        conversion=None,
        runtimes={},
        runtimes_not_run={},
        refused=None,
        pushed_to=None,
    )
    assert [check.name for check in judged.failed_checks] == ["min_agreement"]
    assert judged.blessed is False
    assert judge.judge(measured(), REFERENCE, labels(), LIMITS).blessed is True
