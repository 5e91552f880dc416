"""What a device model has to pass besides: how little it may differ from the SavedModel."""

import math

import numpy as np

from modules.export.recipes import RECIPES
from pipeline.verdict import allowance
from pipeline.verdict.answers import agreement, cross_entropies, is_right
from pipeline.verdict.checks import SOUND_FILE, Check, worst
from pipeline.verdict.limits import Limits, VariantLimits
from pipeline.verdict.measured import Labels, Measured
from pipeline.verdict.verdict import BATCH_1


def device_checks(
    model: Measured, reference: Measured, labels: Labels, limits: Limits
) -> list[Check]:
    """Returns the checks of a device model against the reference on the same images.

    Args:
      model: the device model.
      reference: the SavedModel.
      labels: of the images.
      limits: what decides, with those of the model's recipe.
    """
    variant = limits.variants[model.name]
    ours, theirs = model.metrics, reference.metrics
    right = _right(reference.logits.test, model.logits.test, labels.test)
    hard_right = _right(reference.logits.hard, model.logits.hard, labels.hard)
    losses = [cross_entropies(each.logits.test, labels.test) for each in (reference, model)]
    disagreeing = allowance.most_missed(ours.examples, 1 - variant.min_agreement, limits)
    checks = [
        Check(SOUND_FILE, 1.0, 1.0),
        allowance.check_lost(
            "max_accuracy_drop",
            difference(theirs.accuracy, ours.accuracy),
            variant.max_accuracy_drop,
            right,
            limits,
        ),
        _class_check(model, reference, labels.test, right, limits),
        allowance.check_lost(
            "max_hard_accuracy_drop",
            difference(theirs.hard_accuracy, ours.hard_accuracy),
            variant.max_hard_accuracy_drop,
            hard_right,
            limits,
        ),
        allowance.check_mean(
            "max_loss_difference",
            abs(difference(ours.loss, theirs.loss)),
            variant.max_loss_difference,
            losses[1] - losses[0],
            limits,
        ),
        allowance.check_share(
            "min_agreement",
            agreement(reference.logits.test, model.logits.test, RECIPES[model.name].tie),
            variant.min_agreement,
            ours.examples,
            furthest=1 - disagreeing / ours.examples,
        ),
        *logit_checks(model.logits.test, reference.logits.test, variant),
        Check(
            "max_bytes",
            model.size_bytes,
            max(int(variant.max_size_ratio * reference.size_bytes), model.needed_bytes),
        ),
    ]
    if limits.max_latency_us is not None:
        checks.append(Check("max_latency_us", model.latency_us[BATCH_1].p50, limits.max_latency_us))
    return checks


def _right(
    reference_logits: np.ndarray, logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns bool[N] twice: which images the reference gets right, and which the model."""
    return is_right(reference_logits, labels), is_right(logits, labels)


def _class_check(
    model: Measured,
    reference: Measured,
    labels: np.ndarray,
    right: tuple[np.ndarray, np.ndarray],
    limits: Limits,
) -> Check:
    """Returns the check of the class that is worst off, by what came of it and how far it is."""
    limit = limits.variants[model.name].max_class_accuracy_drop
    expected = reference.metrics.per_class_accuracy
    checks = [
        allowance.check_lost(
            "max_class_accuracy_drop",
            difference(expected.get(label, math.nan), accuracy),
            limit,
            tuple(each[labels == int(label)] for each in right),
            limits,
        )
        for label, accuracy in model.metrics.per_class_accuracy.items()
    ]
    return worst(checks)


def logit_checks(
    logits: np.ndarray, reference_logits: np.ndarray, limits: VariantLimits
) -> list[Check]:
    """Returns how far float32[N, classes] is from the reference's, in units of their spread.

    The argmax, of which most checks speak, does not see a model that is too sure, or one that
    slightly prefers a class. The spread is the standard deviation of all of the reference's logits.
    """
    expected, found = reference_logits.astype(np.float64), logits.astype(np.float64)
    with np.errstate(all="ignore"):  # a NaN is what the checks are for
        distance, centred, spread = found - expected, expected - expected.mean(), expected.std()
        slope_error = ratio((centred * distance).sum(), np.square(centred).sum())
        shift = ratio(np.abs(distance.mean(axis=0)).max(), spread)
        rms = ratio(np.sqrt(np.square(distance).mean()), spread)
        largest = ratio(np.abs(distance).max(), spread)
    return [
        Check("max_logit_scale_error", abs(slope_error), limits.max_logit_scale_error),
        Check("max_class_logit_shift", shift, limits.max_class_logit_shift),
        Check("max_rms_logit_difference", rms, limits.max_rms_logit_difference),
        Check("max_logit_difference", largest, limits.max_logit_difference),
    ]


def ratio(value: float, spread: float) -> float:
    """Returns `value / spread`; nothing is no part of nothing, and anything else is beyond it."""
    if not spread:
        return math.nan if math.isnan(value) else math.copysign(math.inf, value) if value else 0.0
    return float(value / spread)


def difference(reference: float, value: float) -> float:
    """Returns `reference - value` in six digits."""
    # Metrics come as float32: without the rounding, 0.991 - 0.990 would be more than 0.001.
    return round(reference - value, 6)
