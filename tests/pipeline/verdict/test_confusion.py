"""Confusion matrices as TFMA stores them: zeros left out, one plot a slice."""

from typing import Any

import numpy as np
import pytest

from pipeline.verdict.tfma_config import EVAL_SLICE, HARD_SLICE
from pipeline.verdict.tfma_results import confusion_matrix, load_evaluation


def _plot(*entries: dict[str, float]) -> dict[str, Any]:
    matrices = [{"threshold": -1e9, "entries": list(entries)}]
    return {"": {"": {"multiClassConfusionMatrixAtThresholds": {"matrices": matrices}}}}


TEST_PLOT = _plot(
    {"numWeightedExamples": 36.0},
    {"actualClassId": 1, "numWeightedExamples": 2.0},
    {"predictedClassId": 2, "numWeightedExamples": 3.0},
    {"actualClassId": 2, "predictedClassId": -1, "numWeightedExamples": 9.0},
)
PLOTS = [(HARD_SLICE, _plot({"numWeightedExamples": 1.0})), (EVAL_SLICE, TEST_PLOT)]


def test_zeros_are_filled_in_and_missing_predictions_left_out() -> None:
    matrix = confusion_matrix(PLOTS, 3, EVAL_SLICE)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[36, 0, 3], [2, 0, 0], [0, 0, 0]]


def test_the_slice_that_is_asked_for_is_read() -> None:
    assert confusion_matrix(PLOTS, 2, HARD_SLICE).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("plots", [PLOTS[:1], [(EVAL_SLICE, {"": {"": {}}})]])
def test_a_slice_without_its_plot_is_named(plots: list) -> None:
    with pytest.raises(ValueError, match="no confusion matrix of the slice .*'eval'.*; its slices"):
        confusion_matrix(plots, 3, EVAL_SLICE)


def test_evaluation_by_tfma_gives_the_matrix_that_numpy_counts(
    evaluation_uri: str, logits: np.ndarray, labels: np.ndarray
) -> None:
    num_classes = logits.shape[1]
    expected = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(expected, (labels, logits.argmax(axis=1)), 1)
    result, _ = load_evaluation(evaluation_uri)
    np.testing.assert_array_equal(confusion_matrix(result.plots, num_classes, EVAL_SLICE), expected)
