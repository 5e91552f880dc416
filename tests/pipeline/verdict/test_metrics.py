"""Per-class precision and recall, and the confusion matrix, of logits."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from pipeline.verdict.tfma_config import EVAL_SLICE, HARD_SLICE, SliceKey

Evaluate = Callable[..., str]
EvalConfig = Callable[[], config_pb2.EvalConfig]
Slices = dict[SliceKey, dict[str, dict[str, dict[str, Any]]]]


def _slices(uri: str) -> Slices:
    """{slice key: {sub key: {metric: value}}}."""
    metrics = tfma.load_eval_result(uri).slicing_metrics
    return {key: outputs[""] for key, outputs in metrics}


def _value(slices: Slices, slice_key: SliceKey, label: int, name: str) -> float:
    return float(slices[slice_key][f"classId:{label}"][name]["doubleValue"])


def _matrices(uri: str) -> dict[SliceKey, list[dict[str, Any]]]:
    """{slice key: the matrices of the plot}."""
    return {
        key: outputs[""][""]["multiClassConfusionMatrixAtThresholds"]["matrices"]
        for key, outputs in tfma.load_eval_result(uri).plots
    }


@pytest.fixture(scope="module")
def found(evaluation_uri: str) -> Slices:
    return _slices(evaluation_uri)


def test_equal_to_the_share_counted_by_hand(
    found: Slices, logits: np.ndarray, labels: np.ndarray
) -> None:
    predicted = logits.argmax(axis=1)
    for label in (0, 1):
        hits = np.count_nonzero((predicted == label) & (labels == label))
        precision, recall = hits / np.sum(predicted == label), hits / np.sum(labels == label)
        assert 0 < precision < 1 and 0 < recall < 1
        assert _value(found, EVAL_SLICE, label, "precision") == pytest.approx(precision)
        assert _value(found, EVAL_SLICE, label, "recall") == pytest.approx(recall)


def test_undefined_shares_are_nan_and_others_are_not(found: Slices) -> None:
    """Class 2 is never predicted, class 3 never occurs."""
    assert math.isnan(_value(found, EVAL_SLICE, 2, "precision"))
    assert _value(found, EVAL_SLICE, 2, "recall") == 0
    assert _value(found, EVAL_SLICE, 3, "precision") == 0
    assert math.isnan(_value(found, EVAL_SLICE, 3, "recall"))


def test_equal_to_tfma_on_one_hot_predictions(
    found: Slices,
    logits: np.ndarray,
    eval_config: EvalConfig,
    evaluate: Evaluate,
    tmp_path: Path,
) -> None:
    """TFMA's own, which read probabilities of one class, get 1 for the best class and 0 else."""
    config = eval_config()
    del config.metrics_specs[0].metrics[:]
    for label in range(logits.shape[1]):
        for name in ("Precision", "Recall"):
            settings = json.dumps({"name": name.lower(), "class_id": label})
            config.metrics_specs[0].metrics.add(class_name=name, config=settings)
    one_hot = np.eye(logits.shape[1], dtype=np.float32)[logits.argmax(axis=1)]
    stock = _slices(evaluate(tmp_path, config, one_hot))
    assert set(stock) == set(found) and len(stock) == 5
    for key in stock:
        for label in range(logits.shape[1]):
            for name in ("precision", "recall"):
                expected, value = (_value(s, key, label, name) for s in (stock, found))
                assert value == pytest.approx(expected, nan_ok=True)


def test_candidate_and_baseline_each_get_their_own(
    found: Slices,
    logits: np.ndarray,
    eval_config: EvalConfig,
    evaluate: Evaluate,
    tmp_path: Path,
) -> None:
    evaluate(tmp_path, eval_config(), logits[:, [1, 0, 2, 3]], logits)
    baseline = dict(
        tfma.load_eval_result(str(tmp_path), model_name=tfma.BASELINE_KEY).slicing_metrics
    )[EVAL_SLICE][""]
    candidate = dict(
        tfma.load_eval_result(str(tmp_path), model_name=tfma.CANDIDATE_KEY).slicing_metrics
    )[EVAL_SLICE][""]
    assert baseline["classId:0"] == found[EVAL_SLICE]["classId:0"]
    assert candidate["classId:0"]["recall"] != baseline["classId:0"]["recall"]


def test_confusion_matrix_counts_every_example_of_its_set(
    evaluation_uri: str, logits: np.ndarray, hard_logits: np.ndarray, labels: np.ndarray
) -> None:
    """Also those whose best logit is far below zero, as they all are."""
    matrices = _matrices(evaluation_uri)
    for slice_key, predictions in ((EVAL_SLICE, logits), (HARD_SLICE, hard_logits)):
        (matrix,) = matrices[slice_key]
        counts = {
            (entry.get("actualClassId", 0), entry.get("predictedClassId", 0)): entry[
                "numWeightedExamples"
            ]
            for entry in matrix["entries"]
        }
        pairs, expected = np.unique(
            np.stack([labels, predictions.argmax(axis=1)]), axis=1, return_counts=True
        )
        assert counts == dict(zip(map(tuple, pairs.T.tolist()), expected.tolist(), strict=True))


def test_default_threshold_would_predict_nothing(
    eval_config: EvalConfig, logits: np.ndarray, evaluate: Evaluate, tmp_path: Path
) -> None:
    """Why the pipeline's config names one."""
    config = eval_config()
    for metric in config.metrics_specs[0].metrics:
        if metric.class_name == "MultiClassConfusionMatrixPlot":
            metric.config = ""
    (matrix,) = _matrices(evaluate(tmp_path, config, logits))[EVAL_SLICE]
    assert {entry["predictedClassId"] for entry in matrix["entries"]} == {-1}
