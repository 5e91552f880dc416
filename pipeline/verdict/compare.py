"""Compares the device models with the SavedModel and decides which may ship."""

import dataclasses
from typing import Any

import numpy as np

from pipeline.verdict.limit_checks import SOUND_FILE, agreement, at_least, device_checks, own_checks
from pipeline.verdict.limits import Limits
from pipeline.verdict.measured import BATCH_1, REFERENCE, Check, Measured, Refused
from pipeline.verdict.tfma_config import TF_LITE, TF_SAVED_MODEL

SCHEMA_VERSION = 1


def judge(model: Measured, reference: Measured, limits: Limits) -> dict[str, Any]:
    """Returns one element of `models` in comparison.json.

    Args:
      model: the one that is judged.
      reference: the SavedModel, which may be the same.
      limits: what decides.
    """
    checks = own_checks(model, limits)
    if model.name != REFERENCE:
        variant = limits.variants[model.name]
        checks += device_checks(model, reference, variant, limits.max_latency_us)
    metrics, logits = model.metrics, model.logits
    return {
        **_identity(model),
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
        **_verdict(checks, None),
    }


def refuse(model: Refused) -> dict[str, Any]:
    """Returns the element of a device model that was not run: nothing was measured."""
    return {
        **_identity(model),
        "metrics": {"accuracy": None, "loss": None},
        "per_class_accuracy": {},
        "agreement": None,
        "max_abs_logit_difference": None,
        "hard": {"accuracy": None, "loss": None, "agreement": None},
        "latency_us": {BATCH_1: {"p50": None, "p90": None}},
        **_verdict([at_least(SOUND_FILE, 0.0, 1.0)], model.reason),
    }


def _identity(model: Measured | Refused) -> dict[str, Any]:
    return {
        "name": model.name,
        "model_type": TF_SAVED_MODEL if model.name == REFERENCE else TF_LITE,
        "bytes": model.size_bytes,
    }


def _verdict(checks: list[Check], refused: str | None) -> dict[str, Any]:
    return {
        "checks": [dataclasses.asdict(check) for check in checks],
        "refused": refused,
        "blessed": all(check.passed for check in checks),
        "pushed_to": None,
    }
