"""Judges each model: what it has to pass, value by value against the limits."""

import math

import numpy as np

from pipeline.verdict.limits import Limits, VariantLimits
from pipeline.verdict.measured import Logits, Measured, Refused
from pipeline.verdict.tfma_config import TF_LITE, TF_SAVED_MODEL
from pipeline.verdict.verdict import (
    BATCH_1,
    REFERENCE,
    Check,
    HardMetrics,
    JudgedModel,
    Latency,
    Metrics,
)

# The check of a device model's file: 1 when it is whole, what was checked, and its recipe's.
_SOUND_FILE = "sound_file"


def judge(model: Measured, reference: Measured, limits: Limits) -> JudgedModel:
    """Compares a model with the reference and its measurements with the limits.

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
    return JudgedModel(
        name=model.name,
        model_type=TF_SAVED_MODEL if model.name == REFERENCE else TF_LITE,
        bytes=model.size_bytes,
        metrics=Metrics(metrics.accuracy, metrics.loss),
        per_class_accuracy=metrics.per_class_accuracy,
        agreement=agreement(reference.logits.test, logits.test),
        max_abs_logit_difference=float(np.abs(reference.logits.test - logits.test).max()),
        hard=HardMetrics(
            metrics.hard_accuracy,
            metrics.hard_loss,
            agreement(reference.logits.hard, logits.hard),
        ),
        latency_us=model.latency_us,
        checks=tuple(checks),
        refused=None,
        pushed_to=None,
    )


def refuse(model: Refused) -> JudgedModel:
    """Returns the verdict on a device model that was not run: nothing was measured."""
    return JudgedModel(
        name=model.name,
        model_type=TF_LITE,
        bytes=model.size_bytes,
        metrics=Metrics(None, None),
        per_class_accuracy={},
        agreement=None,
        max_abs_logit_difference=None,
        hard=HardMetrics(None, None, None),
        latency_us={BATCH_1: Latency(None, None)},
        checks=(Check(_SOUND_FILE, 0.0, 1.0),),
        refused=model.reason,
        pushed_to=None,
    )


def agreement(reference_logits: np.ndarray, logits: np.ndarray) -> float:
    """Returns the share of rows of two float32[N, classes] that have the same argmax."""
    return float(np.mean(reference_logits.argmax(axis=1) == logits.argmax(axis=1)))


def own_checks(model: Measured, limits: Limits) -> list[Check]:
    """Returns what every model has to pass by itself; its Evaluator comes first.

    The logits were computed after the Evaluator had measured, from the files that are shipped: both
    must tell the same, as must an image by itself and among others.
    """
    metrics, logits = model.metrics, model.logits
    checks = [
        Check("evaluator_blessing", float(model.evaluator_blessed), 1.0),
        Check("min_accuracy", metrics.accuracy, limits.min_accuracy),
    ]
    if model.last_accuracy is not None:
        drop = _difference(model.last_accuracy, metrics.accuracy)
        checks.append(Check("max_drop_from_last", drop, limits.max_drop_from_last))
    if model.name == REFERENCE:
        checks.append(Check("max_altered_files", model.altered_files, 0))
    with np.errstate(all="ignore"):  # a NaN is what the checks are for
        alone = np.abs(logits.alone - logits.test[logits.sampled]).max() / logits.test.std()
    checks += [
        Check("max_nonfinite_answers", _nonfinite(logits), 0),
        Check("max_alone_difference", float(alone), limits.max_alone_difference),
        Check(
            "max_evaluation_difference",
            abs(_difference(metrics.loss, model.own_loss)),
            limits.max_evaluation_difference * max(1, metrics.loss),
        ),
    ]
    if model.contradictions is not None:
        checks.append(Check("max_contradictions", model.contradictions, 0))
    return checks


def _nonfinite(logits: Logits) -> int:
    """Returns for how many images the model gives a NaN or an infinity."""
    sets = (logits.test, logits.hard, logits.alone)
    return sum(int(np.count_nonzero(~np.isfinite(each).all(axis=1))) for each in sets)


def device_checks(
    model: Measured, reference: Measured, limits: VariantLimits, max_latency_us: float | None
) -> list[Check]:
    """Returns what a device model has to pass besides: it may differ from the reference by little.

    Args:
      model: the device model.
      reference: the SavedModel.
      limits: of the model's recipe; see there for what one image counts.
      max_latency_us: what the median time of one image may be, if there is a limit.
    """
    ours, theirs = model.metrics, reference.metrics
    class_checks = [
        Check(
            "max_class_accuracy_drop",
            _difference(theirs.per_class_accuracy[label], accuracy),
            max(limits.max_class_accuracy_drop, _one_of(ours.class_examples[label])),
        )
        for label, accuracy in ours.per_class_accuracy.items()
    ]
    checks = [
        Check(_SOUND_FILE, 1.0, 1.0),
        Check(
            "max_accuracy_drop",
            _difference(theirs.accuracy, ours.accuracy),
            max(limits.max_accuracy_drop, _one_of(ours.examples)),
        ),
        max(class_checks, key=_excess),
        Check(
            "max_hard_accuracy_drop",
            _difference(theirs.hard_accuracy, ours.hard_accuracy),
            max(limits.max_hard_accuracy_drop, _one_of(ours.hard_examples)),
        ),
        Check(
            "max_loss_difference",
            abs(_difference(ours.loss, theirs.loss)),
            limits.max_loss_difference,
        ),
        Check(
            "min_agreement",
            agreement(reference.logits.test, model.logits.test),
            min(limits.min_agreement, (ours.examples - 1) / ours.examples),
        ),
        *logit_checks(model.logits.test, reference.logits.test, limits),
        Check("max_bytes", model.size_bytes, int(limits.max_size_ratio * reference.size_bytes)),
    ]
    if max_latency_us is not None:
        checks.append(Check("max_latency_us", model.latency_us[BATCH_1].p50, max_latency_us))
    return checks


def logit_checks(
    logits: np.ndarray, reference_logits: np.ndarray, limits: VariantLimits
) -> list[Check]:
    """Returns how far float32[N, classes] is from the reference's, in units of their spread.

    The argmax, of which most checks speak, does not see a model that is too sure, or one that
    slightly prefers a class. The spread is the standard deviation of all of the reference's logits.
    """
    expected, found = reference_logits.astype(np.float64), logits.astype(np.float64)
    with np.errstate(all="ignore"):  # a NaN is what the checks are for
        difference, centred, spread = found - expected, expected - expected.mean(), expected.std()
        slope = float((centred * found).sum() / np.square(centred).sum())
        shift = float(np.abs(difference.mean(axis=0)).max() / spread)
        rms = float(np.sqrt(np.square(difference).mean()) / spread)
        largest = float(np.abs(difference).max() / spread)
    return [
        Check("max_logit_scale_error", abs(slope - 1), limits.max_logit_scale_error),
        Check("max_class_logit_shift", shift, limits.max_class_logit_shift),
        Check("max_rms_logit_difference", rms, limits.max_rms_logit_difference),
        Check("max_logit_difference", largest, limits.max_logit_difference),
    ]


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
