"""Compares the device model with the SavedModel and decides whether it may ship."""

import dataclasses
from typing import Any

import numpy as np
import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma

from modules import features
from pipeline.config import Limits

SCHEMA_VERSION = 1
REFERENCE = "saved_model"


@dataclasses.dataclass(frozen=True)
class Metrics:
    """What an Evaluator measured: shares in [0, 1], the loss in nats."""

    accuracy: float
    loss: float
    per_class_accuracy: dict[str, float]  # {"0": ...}, of the classes that occur


@dataclasses.dataclass(frozen=True)
class Check:
    """One value against its limit."""

    name: str
    value: float
    limit: float
    passed: bool


def load_evaluation(uri: str) -> tfma.EvalResult:
    """Loads what an Evaluator wrote of the candidate, whether or not there was a baseline too."""
    result = tfma.load_eval_result(uri)
    names = [spec.name for spec in result.config.model_specs]
    if tfma.CANDIDATE_KEY in names:
        return tfma.load_eval_result(uri, model_name=tfma.CANDIDATE_KEY)
    return result


def read_baseline_accuracy(evaluation_uri: str) -> float | None:
    """Returns the accuracy of the last blessed model on the same examples, None without one."""
    names = [spec.name for spec in tfma.load_eval_result(evaluation_uri).config.model_specs]
    if tfma.BASELINE_KEY not in names:
        return None
    result = tfma.load_eval_result(evaluation_uri, model_name=tfma.BASELINE_KEY)
    return float(dict(result.slicing_metrics)[()][""][""]["accuracy"]["doubleValue"])


def read_metrics(evaluation_uri: str) -> Metrics:
    """Reads an Evaluator's output.

    Raises:
      ValueError: a slice or a metric is missing.
    """
    slices = {}
    for slice_key, outputs in load_evaluation(evaluation_uri).slicing_metrics:
        slices[slice_key] = {
            name: float(metric["doubleValue"])  # TFMA spells NaN "NaN"
            for name, metric in outputs[""][""].items()
            if "doubleValue" in metric
        }
    try:
        overall = slices.pop(())
        per_class = {
            str(label): values["accuracy"]
            for ((_, label),), values in sorted(slices.items())
            if values["example_count"] > 0
        }
        if not per_class:
            raise KeyError(features.IMAGE_CLASS)
        return Metrics(overall["accuracy"], overall["loss"], per_class)
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"the evaluation at {evaluation_uri} lacks {error}: expected the metrics of "
            f"pipeline/evaluation.py, overall and by {features.IMAGE_CLASS}"
        ) from error


def agreement(reference_logits: np.ndarray, logits: np.ndarray) -> float:
    """Returns the share of rows of two float32[N, classes] that have the same argmax."""
    return float(np.mean(reference_logits.argmax(axis=1) == logits.argmax(axis=1)))


def at_least(name: str, value: float, limit: float) -> Check:
    """A check that fails below the limit, and on NaN."""
    return Check(name, value, limit, bool(value >= limit))


def at_most(name: str, value: float, limit: float) -> Check:
    """A check that fails above the limit, and on NaN."""
    return Check(name, value, limit, bool(value <= limit))


def server_checks(
    metrics: Metrics,
    evaluator_blessed: bool,
    limits: Limits,
    last_accuracy: float | None = None,
) -> list[Check]:
    """Returns what decides on pushing the SavedModel; its Evaluator has the last word.

    Args:
      metrics: of the model.
      evaluator_blessed: what its Evaluator decided, by the same limits.
      limits: what must be reached.
      last_accuracy: of the last blessed model; None when there is none.
    """
    checks = [
        at_least("evaluator_blessing", float(evaluator_blessed), 1.0),
        at_least("min_accuracy", metrics.accuracy, limits.min_accuracy),
    ]
    if last_accuracy is not None:
        drop = round(last_accuracy - metrics.accuracy, 6)
        checks.append(at_most("max_drop_from_last", drop, limits.max_drop_from_last))
    return checks


def device_checks(
    metrics: Metrics,
    reference: Metrics,
    agreement_with_reference: float,
    evaluator_blessed: bool,
    limits: Limits,
    last_accuracy: float | None = None,
) -> list[Check]:
    """Returns what decides on pushing a device model: what a SavedModel needs, and more.

    Args:
      metrics: of the device model.
      reference: of the SavedModel, against which accuracy may drop by little.
      agreement_with_reference: share of examples with the same answer.
      evaluator_blessed: see `server_checks`, like the two below.
      limits: see `server_checks`.
      last_accuracy: see `server_checks`.
    """
    # Metrics come as float32: without the rounding, 0.991 - 0.990 would be more than 0.001.
    class_drops = [
        round(reference.per_class_accuracy[label] - accuracy, 6)
        for label, accuracy in metrics.per_class_accuracy.items()
    ]
    worst_drop = float(np.max(class_drops))  # which a NaN wins, other than with max()
    drop = round(reference.accuracy - metrics.accuracy, 6)
    return [
        *server_checks(metrics, evaluator_blessed, limits, last_accuracy),
        at_most("max_accuracy_drop", drop, limits.max_accuracy_drop),
        at_most("max_class_accuracy_drop", worst_drop, limits.max_class_accuracy_drop),
        at_least("min_agreement", agreement_with_reference, limits.min_agreement),
    ]


def model_entry(
    name: str,
    model_type: str,
    size_bytes: int,
    metrics: Metrics,
    logits: np.ndarray,
    reference_logits: np.ndarray,
    latency_us: dict[str, float],
    checks: list[Check],
) -> dict[str, Any]:
    """Returns one element of `models` in comparison.json.

    Args:
      name: "saved_model" or the variant.
      model_type: TFMA's name for the format.
      size_bytes: of the files that are shipped.
      metrics: what its Evaluator measured.
      logits: float32[N, classes] on the eval split.
      reference_logits: the SavedModel's, of the same examples.
      latency_us: p50 and p90 of a single image.
      checks: what decides on its blessing; all must pass.
    """
    return {
        "name": name,
        "model_type": model_type,
        "bytes": size_bytes,
        "metrics": {"accuracy": metrics.accuracy, "loss": metrics.loss},
        "per_class_accuracy": metrics.per_class_accuracy,
        "agreement": agreement(reference_logits, logits),
        "max_abs_logit_difference": float(np.abs(reference_logits - logits).max()),
        "latency_us": {"batch_1": latency_us},
        "checks": [dataclasses.asdict(check) for check in checks],
        "blessed": all(check.passed for check in checks),
        "pushed_to": None,
    }
