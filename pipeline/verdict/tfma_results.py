"""Reads what an Evaluator measured from TFMA's output: metrics and confusion matrix."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.writers import eval_config_writer

from modules import features
from pipeline.verdict.tfma_config import EVAL_SLICE, HARD_SLICE, SliceKey, class_slice


@dataclasses.dataclass(frozen=True)
class EvaluatorMetrics:
    """What an Evaluator measured: shares in [0, 1], losses in nats."""

    accuracy: float
    loss: float
    examples: int
    per_class_accuracy: dict[str, float]  # {"0": ...}, of the classes that occur
    class_examples: dict[str, int]
    hard_accuracy: float
    hard_loss: float
    hard_examples: int


def load_evaluation(uri: str) -> tuple[tfma.EvalResult, tfma.EvalResult | None]:
    """Loads what an Evaluator wrote of the candidate and, where there was one, of the baseline."""
    config, *_ = eval_config_writer.load_eval_run(uri)
    if tfma.BASELINE_KEY not in {spec.name for spec in config.model_specs}:
        return tfma.load_eval_result(uri), None
    return (
        tfma.load_eval_result(uri, model_name=tfma.CANDIDATE_KEY),
        tfma.load_eval_result(uri, model_name=tfma.BASELINE_KEY),
    )


def read_metrics(result: tfma.EvalResult) -> EvaluatorMetrics:
    """Reads an Evaluator's output.

    Raises:
      ValueError: a slice or a metric is missing.
    """
    slices = _values(result)
    try:
        test, hard = slices[EVAL_SLICE], slices[HARD_SLICE]
        classes = {
            str(label): slices[class_slice(label)]
            for label in sorted(_labels(slices))
            if slices[class_slice(label)]["example_count"] > 0
        }
        if not classes:
            raise KeyError(features.IMAGE_CLASS)
        return EvaluatorMetrics(
            accuracy=test["accuracy"],
            loss=test["loss"],
            examples=round(test["example_count"]),
            per_class_accuracy={label: values["accuracy"] for label, values in classes.items()},
            class_examples={
                label: round(values["example_count"]) for label, values in classes.items()
            },
            hard_accuracy=hard["accuracy"],
            hard_loss=hard["loss"],
            hard_examples=round(hard["example_count"]),
        )
    except KeyError as error:
        raise ValueError(
            f"an evaluation lacks {error}: expected the metrics and slices of "
            f"pipeline/verdict/tfma_config.py, found {sorted(slices)}"
        ) from error


def confusion_of_test(result: tfma.EvalResult, num_classes: int) -> np.ndarray:
    """Returns the confusion matrix int64[classes, classes] of the test set, actual class first.

    Raises:
      ValueError: the evaluation has none.
    """
    if num_classes == 1:  # there is no plot of it, and no way to confuse them
        return np.array([[read_metrics(result).examples]])
    return confusion_matrix(result.plots, num_classes, EVAL_SLICE)


def confusion_matrix(
    plots: Sequence[tuple[SliceKey, Mapping]], num_classes: int, slice_key: SliceKey
) -> np.ndarray:
    """Reads the confusion matrix of one slice from `EvalResult.plots`.

    Args:
      plots: (slice key, {output: {sub key: plot}}) of TFMA, with multi-class confusion matrices.
      num_classes: classes are 0 to `num_classes` - 1; examples without a prediction are left out.
      slice_key: the slice whose plot is read; see pipeline/verdict/tfma_config.py.

    Returns:
      int64[num_classes, num_classes], examples by actual class (row) and predicted class.

    Raises:
      ValueError: the slice has no such plot.
    """
    by_slice = dict(plots)
    try:
        plot = by_slice[slice_key][""][""]["multiClassConfusionMatrixAtThresholds"]
        entries = plot["matrices"][0]["entries"]
    except (KeyError, IndexError) as error:
        raise ValueError(
            f"the evaluation has no confusion matrix of the slice {slice_key}; its slices with "
            f"plots are {list(by_slice)}"
        ) from error
    matrix = np.zeros((num_classes, num_classes), np.int64)
    for entry in entries:
        # Protocol buffers leave zeros out; TFMA's id for "no prediction" is -1.
        cell = entry.get("actualClassId", 0), entry.get("predictedClassId", 0)
        if all(0 <= label < num_classes for label in cell):
            matrix[cell] += round(entry.get("numWeightedExamples", 0))
    return matrix


def _values(result: tfma.EvalResult) -> dict[tuple, dict[str, float]]:
    """Returns the metrics that are single numbers, by slice."""
    return {
        slice_key: {
            name: float(metric["doubleValue"])  # TFMA spells NaN "NaN"
            for name, metric in outputs[""][""].items()
            if "doubleValue" in metric
        }
        for slice_key, outputs in result.slicing_metrics
    }


def _labels(slices: dict[tuple, dict[str, float]]) -> set[int]:
    return {value for key in slices for column, value in key if column == features.IMAGE_CLASS}
