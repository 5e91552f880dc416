"""Models that cannot be run, and what running them once more shows beside their metrics."""

import math

import pytest

from pipeline.verdict import judge
from pipeline.verdict.checks import Check
from pipeline.verdict.device_checks import device_checks
from pipeline.verdict.limits import Limits
from pipeline.verdict.measured import Refused
from pipeline.verdict.verdict import HardMetrics, Latency, Metrics
from tests.pipeline.verdict.judging.models_to_judge import (
    LIMITS,
    NAN,
    REFERENCE,
    failed,
    labels,
    logits,
    measured,
)


def test_of_a_refused_model_nothing_is_measured() -> None:
    found = judge.refuse(Refused("int8", None, "TFLite's converter failed: no kernel"))
    assert (found.metrics, found.hard) == (Metrics(None, None), HardMetrics(None, None, None))
    assert found.latency_us == {"batch_1": Latency(None, None)}
    assert (found.bytes, found.agreement, found.per_class_accuracy) == (None, None, {})
    assert found.max_abs_logit_difference is found.accuracy_interval is None
    assert found.refused == "TFLite's converter failed: no kernel"
    assert found.checks == found.failed_checks == (Check("sound_file", 0.0, 1.0),)
    assert found.model_type == judge.judge(measured(), REFERENCE, labels(), LIMITS).model_type
    assert found.blessed is False


@pytest.mark.parametrize("broken", ["test", "hard", "alone"])
@pytest.mark.parametrize("value", [NAN, math.inf])
def test_an_answer_that_is_no_number_is_seen_wherever_it_is(broken: str, value: float) -> None:
    whole = logits()
    part = getattr(whole, broken).copy()
    part[5, 1] = value
    assert "max_nonfinite_answers" in failed(measured(logits=whole._replace(**{broken: part})))


@pytest.mark.parametrize(("by", "passes"), [(0.01, True), (0.02, False), (NAN, False)])
def test_an_image_alone_and_among_others(by: float, passes: bool) -> None:
    """The spread of these logits is 1.15."""
    whole = logits()
    alone = whole.alone.copy()
    alone[3, 0] += by
    assert (
        "max_alone_difference" in failed(measured(logits=whole._replace(alone=alone)))
    ) != passes


def test_no_clock_decides_by_default() -> None:
    slow = measured(latency_us={"batch_1": Latency(1e9, 1e9)})
    checks = device_checks(slow, REFERENCE, labels(), Limits())
    assert not [check.name for check in checks if "latency" in check.name]
