"""Models that cannot be run, and what running them once more shows beside their metrics."""

import json
import math

import pytest

from pipeline.verdict import compare, limit_checks
from pipeline.verdict.limits import Limits
from pipeline.verdict.measured import Refused
from tests.pipeline.verdict.compared_models import (
    LIMITS,
    NAN,
    REFERENCE,
    VARIANT,
    failed,
    logits,
    measured,
)


def test_a_refused_model_has_the_same_keys_and_nothing_measured() -> None:
    entry = compare.refuse(Refused("int8", None, "TFLite's converter failed: no kernel"))
    judged = compare.judge(measured(), REFERENCE, LIMITS)
    assert entry.keys() == judged.keys()
    for key in ("metrics", "hard"):
        assert entry[key] == dict.fromkeys(judged[key])
    assert entry["latency_us"] == {"batch_1": {"p50": None, "p90": None}}
    assert (entry["bytes"], entry["agreement"], entry["per_class_accuracy"]) == (None, None, {})
    assert entry["refused"] == "TFLite's converter failed: no kernel"
    assert entry["checks"] == [{"name": "sound_file", "value": 0.0, "limit": 1.0, "passed": False}]
    assert entry["blessed"] is False
    assert json.loads(json.dumps(entry)) == entry


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
    slow = measured(latency_us={"batch_1": {"p50": 1e9}})
    checks = limit_checks.device_checks(slow, REFERENCE, VARIANT, Limits().max_latency_us)
    assert not [check.name for check in checks if "latency" in check.name]
