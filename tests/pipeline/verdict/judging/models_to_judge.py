"""Models to judge: one that passes everything, and changes to it."""

import dataclasses
import math

import numpy as np

from pipeline.verdict import judge
from pipeline.verdict.checks import Check
from pipeline.verdict.device_checks import device_checks
from pipeline.verdict.limits import Limits, VariantLimits
from pipeline.verdict.measured import Labels, Logits, Measured
from pipeline.verdict.tfma_results import EvaluatorMetrics
from pipeline.verdict.verdict import REFERENCE as REFERENCE_NAME
from pipeline.verdict.verdict import Latency

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
    max_runtime_logit_difference=0.1,
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
    found[::2] += 0.001  # those of a network that looks at the image
    found[:flipped] = found[:flipped, ::-1]
    return Logits(found, found, np.arange(0, rows, 7), found[::7])


def labels(rows: int = 10_000) -> Labels:
    """Labels of which the second half is the second class."""
    found = np.arange(rows) // max(rows // 2, 1)
    return Labels(found, found)


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
        *judge.network_checks(reference, LIMITS),
        *judge.own_checks(model, LIMITS),
        *device_checks(model, reference, labels(len(reference.logits.test)), LIMITS),
    ]
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def failed(model: Measured, reference: Measured = REFERENCE) -> list[str]:
    return [name for name, check in checks_of(model, reference).items() if not check.passed]


def answering(name: str, right: np.ndarray, true: np.ndarray, num_classes: int) -> Measured:
    """Returns a model by what it answers, measured as an Evaluator does.

    Args:
      name: REFERENCE_NAME or a recipe.
      right: bool[N], for which images it names the label; for others it names the next class.
      true: int64[N], the labels, of the test set and of the hard one.
      num_classes: from 0 on, of which not all have to occur.
    """
    said = np.where(right, true, (true + 1) % num_classes)
    values = np.eye(num_classes, dtype=np.float32)[said] * 4
    counts = {str(label): int((true == label).sum()) for label in np.unique(true)}
    accuracy = float(np.float32(right.mean()))
    metrics = EvaluatorMetrics(
        accuracy=accuracy,
        loss=0.1,
        examples=len(true),
        per_class_accuracy={
            label: float(np.float32(right[true == int(label)].mean())) for label in counts
        },
        class_examples=counts,
        hard_accuracy=accuracy,
        hard_loss=0.1,
        hard_examples=len(true),
    )
    return dataclasses.replace(
        REFERENCE,
        name=name,
        size_bytes=1_000_000 if name == REFERENCE_NAME else 100_000,
        metrics=metrics,
        logits=Logits(values, values, np.arange(len(true)), values),
        own_loss=0.1,
        contradictions=0 if name == REFERENCE_NAME else None,
    )
