"""Compares the device models with the SavedModel and decides which may ship."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from pipeline.evaluation import TF_LITE, TF_SAVED_MODEL
from pipeline.evaluation_results import Metrics
from pipeline.limits import Limits, VariantLimits

SCHEMA_VERSION = 1
REFERENCE = "saved_model"
BATCH_1, BATCH_1_WITHOUT_XNNPACK = "batch_1", "batch_1_without_xnnpack"


@dataclasses.dataclass(frozen=True)
class Check:
    """One value against its limit."""

    name: str
    value: float
    limit: float
    passed: bool


class Logits(NamedTuple):
    """What one model says: float32[N, classes] of the test and of the hard images."""

    test: np.ndarray
    hard: np.ndarray


@dataclasses.dataclass(frozen=True)
class Measured:
    """All that is known of one model.

    Attributes:
      name: REFERENCE or that of the recipe.
      size_bytes: of the files that are shipped.
      metrics: what its Evaluator measured.
      evaluator_blessed: what its Evaluator decided.
      last_accuracy: of the last blessed model on the same images; None when there is none.
      logits: of all images.
      latency_us: p50 and p90 of a single image, by how it was run.
    """

    name: str
    size_bytes: int
    metrics: Metrics
    evaluator_blessed: bool
    last_accuracy: float | None
    logits: Logits
    latency_us: dict[str, dict[str, float]]


def agreement(reference_logits: np.ndarray, logits: np.ndarray) -> float:
    """Returns the share of rows of two float32[N, classes] that have the same argmax."""
    return float(np.mean(reference_logits.argmax(axis=1) == logits.argmax(axis=1)))


def at_least(name: str, value: float, limit: float) -> Check:
    """A check that fails below the limit, and on NaN."""
    return Check(name, value, limit, bool(value >= limit))


def at_most(name: str, value: float, limit: float) -> Check:
    """A check that fails above the limit, and on NaN."""
    return Check(name, value, limit, bool(value <= limit))


def server_checks(model: Measured, limits: Limits) -> list[Check]:
    """Returns what every model has to pass; its Evaluator, with the same limits, comes first."""
    checks = [
        at_least("evaluator_blessing", float(model.evaluator_blessed), 1.0),
        at_least("min_accuracy", model.metrics.accuracy, limits.min_accuracy),
    ]
    if model.last_accuracy is not None:
        drop = _difference(model.last_accuracy, model.metrics.accuracy)
        checks.append(at_most("max_drop_from_last", drop, limits.max_drop_from_last))
    return checks


def device_checks(
    model: Measured, reference: Measured, float32_latency_us: float, limits: VariantLimits
) -> list[Check]:
    """Returns what a device model has to pass besides: it may differ from the reference by little.

    Args:
      model: the device model.
      reference: the SavedModel.
      float32_latency_us: median of a single image by the float32 device model.
      limits: of the model's recipe; see there for what one image counts.
    """
    ours, theirs = model.metrics, reference.metrics
    class_checks = [
        at_most(
            "max_class_accuracy_drop",
            _difference(theirs.per_class_accuracy[label], accuracy),
            max(limits.max_class_accuracy_drop, _one_of(ours.class_examples[label])),
        )
        for label, accuracy in ours.per_class_accuracy.items()
    ]
    checks = [
        at_most(
            "max_accuracy_drop",
            _difference(theirs.accuracy, ours.accuracy),
            max(limits.max_accuracy_drop, _one_of(ours.examples)),
        ),
        max(class_checks, key=_excess),
        at_most(
            "max_hard_accuracy_drop",
            _difference(theirs.hard_accuracy, ours.hard_accuracy),
            max(limits.max_hard_accuracy_drop, _one_of(ours.hard_examples)),
        ),
        at_most("max_loss_increase", _difference(ours.loss, theirs.loss), limits.max_loss_increase),
        at_least(
            "min_agreement",
            agreement(reference.logits.test, model.logits.test),
            min(limits.min_agreement, (ours.examples - 1) / ours.examples),
        ),
        at_most("max_bytes", model.size_bytes, int(limits.max_size_ratio * reference.size_bytes)),
    ]
    if limits.max_latency_ratio is not None:
        ratio = round(model.latency_us[BATCH_1]["p50"] / float32_latency_us, 3)
        checks.append(at_most("max_latency_ratio", ratio, limits.max_latency_ratio))
    return checks


def _difference(reference: float, value: float) -> float:
    # Metrics come as float32: without the rounding, 0.991 - 0.990 would be more than 0.001.
    return round(reference - value, 6)


def _one_of(examples: int) -> float:
    """Returns the share that one of them is, rounded up as differences are rounded."""
    return math.ceil(1e6 / examples) / 1e6


def _excess(check: Check) -> float:
    """How far a value is beyond its limit; NaN is beyond any."""
    excess = check.value - check.limit
    return math.inf if math.isnan(excess) else excess


def judge(
    model: Measured, reference: Measured, limits: Limits, float32_latency_us: float
) -> dict[str, Any]:
    """Returns one element of `models` in comparison.json.

    Args:
      model: the one that is judged.
      reference: the SavedModel, which may be the same.
      limits: what decides.
      float32_latency_us: see `device_checks`.
    """
    checks = server_checks(model, limits)
    if model.name != REFERENCE:
        checks += device_checks(model, reference, float32_latency_us, limits.variants[model.name])
    metrics, logits = model.metrics, model.logits
    return {
        "name": model.name,
        "model_type": TF_SAVED_MODEL if model.name == REFERENCE else TF_LITE,
        "bytes": model.size_bytes,
        "metrics": {"accuracy": metrics.accuracy, "loss": metrics.loss},
        "per_class_accuracy": metrics.per_class_accuracy,
        "agreement": agreement(reference.logits.test, logits.test),
        "max_abs_logit_difference": float(np.abs(reference.logits.test - logits.test).max()),
        "hard": {
            "accuracy": metrics.hard_accuracy,
            "loss": metrics.hard_loss,
            "agreement": agreement(reference.logits.hard, logits.hard),
        },
        "latency_us": model.latency_us,
        "checks": [dataclasses.asdict(check) for check in checks],
        "blessed": all(check.passed for check in checks),
        "pushed_to": None,
    }
