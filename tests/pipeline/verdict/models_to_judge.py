"""Models to judge: one that passes everything, and changes to it."""

import dataclasses
import math

import numpy as np

from pipeline.verdict import judge
from pipeline.verdict.limits import Limits, VariantLimits
from pipeline.verdict.measured import Logits, Measured
from pipeline.verdict.tfma_results import EvaluatorMetrics
from pipeline.verdict.verdict import REFERENCE as REFERENCE_NAME
from pipeline.verdict.verdict import Check, Latency

NAN = math.nan

VARIANT = VariantLimits(
    max_accuracy_drop=0.001,
    max_class_accuracy_drop=0.005,
    max_hard_accuracy_drop=0.002,
    max_loss_difference=0.01,
    min_agreement=0.999,
    max_logit_scale_error=10.0,
    max_class_logit_shift=10.0,
    max_rms_logit_difference=10.0,
    max_logit_difference=10.0,
    max_size_ratio=0.5,
)
LIMITS = Limits(0.9, 0.02, variants={"int8": VARIANT}, max_latency_us=160.0)
METRICS = EvaluatorMetrics(
    accuracy=0.991,
    loss=0.03,
    examples=10_000,
    per_class_accuracy={"0": 0.95, "1": 1.0},
    class_examples={"0": 5_000, "1": 5_000},
    hard_accuracy=0.9,
    hard_loss=0.3,
    hard_examples=10_000,
)


def logits(rows: int = 10_000, flipped: int = 0) -> Logits:
    """Logits of two classes, of which the first `flipped` rows prefer the second."""
    found = np.tile(np.array([-0.1, -2.4], np.float32), (rows, 1))
    found[:flipped] = found[:flipped, ::-1]
    return Logits(found, found, np.arange(0, rows, 7), found[::7])


REFERENCE = Measured(
    name=REFERENCE_NAME,
    size_bytes=1_000_000,
    altered_files=0,
    metrics=METRICS,
    evaluator_blessed=True,
    last_accuracy=None,
    logits=logits(),
    own_loss=METRICS.loss,
    contradictions=0,
    latency_us={"batch_1": Latency(900.0, 950.0)},
)


def measured(**changes: object) -> Measured:
    """An int8 model that passes everything, but for the changes to it or to its metrics."""
    ours = {key: changes.pop(key) for key in list(changes) if hasattr(METRICS, key)}
    model = dataclasses.replace(
        REFERENCE,
        name="int8",
        size_bytes=300_000,
        metrics=dataclasses.replace(METRICS, **ours),
        own_loss=ours.get("loss", METRICS.loss),
        contradictions=None,
        latency_us={"batch_1": Latency(100.0, 150.0)},
    )
    return dataclasses.replace(model, **changes)


def checks_of(model: Measured, reference: Measured = REFERENCE) -> dict[str, Check]:
    found = [
        *judge.own_checks(model, LIMITS),
        *judge.device_checks(model, reference, VARIANT, LIMITS.max_latency_us),
    ]
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def failed(model: Measured, reference: Measured = REFERENCE) -> list[str]:
    return [name for name, check in checks_of(model, reference).items() if not check.passed]
