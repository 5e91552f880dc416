"""Judges each model: what it has to pass, value by value against the limits."""

import dataclasses
import math

import numpy as np

from pipeline.verdict import allowance, chance
from pipeline.verdict.answers import agreement, vary
from pipeline.verdict.checks import (
    MAX_UNDECIDED,
    MIN_LEARNED,
    SOUND_FILE,
    VARYING_LOGITS,
    Check,
    Outcome,
)
from pipeline.verdict.device_checks import device_checks, difference, ratio
from pipeline.verdict.limits import Limits
from pipeline.verdict.measured import Labels, Logits, Measured, Refused
from pipeline.verdict.runtimes.runtime_checks import runtime_checks
from pipeline.verdict.tfma_config import TF_LITE, TF_SAVED_MODEL
from pipeline.verdict.tfma_results import EvaluatorMetrics
from pipeline.verdict.verdict import (
    BATCH_1,
    REFERENCE,
    HardMetrics,
    JudgedModel,
    Latency,
    Metrics,
)


def judge(model: Measured, reference: Measured, labels: Labels, limits: Limits) -> JudgedModel:
    """Compares a model with the reference and its measurements with the limits.

    Args:
      model: the one that is judged.
      reference: the SavedModel, which may be the same.
      labels: of the images.
      limits: what decides.
    """
    checks = [*network_checks(reference, limits), *own_checks(model, limits)]
    if model.name != REFERENCE:
        checks += device_checks(model, reference, labels, limits)
    if model.compared:
        checks += runtime_checks(model.name, model.compared, limits)
    if limits.max_undecided_checks is not None:
        undecided = sum(check.outcome == Outcome.UNDECIDED for check in checks)
        checks.append(Check(MAX_UNDECIDED, undecided, limits.max_undecided_checks))
    metrics, logits = model.metrics, model.logits
    return JudgedModel(
        name=model.name,
        model_type=TF_SAVED_MODEL if model.name == REFERENCE else TF_LITE,
        bytes=model.size_bytes,
        metrics=Metrics(metrics.accuracy, metrics.loss),
        accuracy_interval=_interval(metrics),
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
        conversion=model.conversion,
        runtimes=model.compared.runtimes if model.compared else {},
        runtimes_not_run=model.compared.not_run if model.compared else {},
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
        accuracy_interval=None,
        per_class_accuracy={},
        agreement=None,
        max_abs_logit_difference=None,
        hard=HardMetrics(None, None, None),
        latency_us={BATCH_1: Latency(None, None)},
        checks=(Check(SOUND_FILE, 0.0, 1.0),),
        conversion=None,
        runtimes={},
        runtimes_not_run={},
        refused=model.reason,
        pushed_to=None,
    )


def network_checks(reference: Measured, limits: Limits) -> list[Check]:
    """Returns whether the network that all models are made of has learned anything.

    That is, whether it is better than always naming the most frequent class. A higher accuracy does
    not tell: the interval around it must be above. Where it is not, but the accuracy is all that is
    asked for, there are too few images to tell.
    """
    metrics = reference.metrics
    most_frequent = max(metrics.class_examples.values()) / metrics.examples
    interval = _interval(metrics)
    check = Check(MIN_LEARNED, interval[0] if interval else math.nan, most_frequent)
    if not check.passed and metrics.accuracy > most_frequent:
        is_enough = metrics.accuracy >= allowance.least_accuracy(metrics.examples, limits)
        check = dataclasses.replace(check, within_chance=is_enough)
    return [Check(VARYING_LOGITS, float(vary(reference.logits.test)), 1.0), check]


def own_checks(model: Measured, limits: Limits) -> list[Check]:
    """Returns what every model has to pass by itself; its Evaluator comes first.

    The logits were computed after the Evaluator had measured, from the files that are shipped: both
    must tell the same, as must an image by itself and among others.
    """
    metrics, logits = model.metrics, model.logits
    checks = [
        Check("evaluator_blessing", float(model.evaluator_blessed), 1.0),
        allowance.check_share(
            "min_accuracy",
            metrics.accuracy,
            limits.min_accuracy,
            metrics.examples,
            allowance.least_accuracy(metrics.examples, limits),
        ),
    ]
    if model.last_accuracy is not None:
        checks.append(
            allowance.check_share(
                "max_drop_from_last",
                difference(model.last_accuracy, metrics.accuracy),
                limits.max_drop_from_last,
                metrics.examples,
                allowance.largest_drop(metrics.examples, limits),
            )
        )
    if model.name == REFERENCE:
        checks.append(Check("max_altered_files", model.altered_files, 0))
    with np.errstate(all="ignore"):  # a NaN is what the checks are for
        distance = np.abs(logits.alone - logits.test[logits.sampled]).max()
        alone = ratio(distance, logits.test.std())
    checks += [
        Check("max_nonfinite_answers", _nonfinite(logits), 0),
        Check("max_alone_difference", alone, limits.max_alone_difference),
        Check(
            "max_evaluation_difference",
            abs(difference(metrics.loss, model.own_loss)),
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


def _interval(metrics: EvaluatorMetrics) -> tuple[float, float] | None:
    """Returns the interval of the accuracy on the test images, None for a NaN."""
    if math.isnan(metrics.accuracy):
        return None
    return chance.accuracy_interval(round(metrics.accuracy * metrics.examples), metrics.examples)
