"""How metrics are read from TFMA's output."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorflow_model_analysis.proto import config_pb2

from pipeline.verdict import tfma_results
from pipeline.verdict.tfma_config import EVAL_SLICE
from pipeline.verdict.tfma_results import EvaluatorMetrics

LOST = ["accuracy", "loss", "ExampleCount", "eval", "classes", "hard"]


def read(uri: str) -> EvaluatorMetrics:
    """Reads the metrics of the candidate."""
    return tfma_results.read_metrics(tfma_results.load_evaluation(uri)[0])


def accuracy_and_loss(logits: np.ndarray, labels: np.ndarray) -> list[float]:
    right = logits.argmax(axis=1) == labels
    return [right.mean(), -logits[np.arange(len(labels)), labels].mean()]


def test_metrics_are_read_of_both_sets_and_by_class(
    evaluation_uri: str, logits: np.ndarray, hard_logits: np.ndarray, labels: np.ndarray
) -> None:
    metrics = read(evaluation_uri)
    assert [metrics.accuracy, metrics.loss] == pytest.approx(
        accuracy_and_loss(logits, labels), rel=1e-5
    )
    assert [metrics.hard_accuracy, metrics.hard_loss] == pytest.approx(
        accuracy_and_loss(hard_logits, labels), rel=1e-5
    )
    assert (metrics.examples, metrics.hard_examples) == (40, 40)
    assert metrics.class_examples == {"0": 20, "1": 15, "2": 5}
    right = logits.argmax(axis=1) == labels
    assert list(metrics.per_class_accuracy) == ["0", "1", "2"]
    assert metrics.per_class_accuracy == pytest.approx(
        {str(label): right[labels == label].mean() for label in range(3)}
    )


def test_candidate_and_baseline(
    evaluation_uri: str,
    logits: np.ndarray,
    labels: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
    tmp_path: Path,
) -> None:
    uri = evaluate(tmp_path, eval_config(), logits, -logits)
    candidate, baseline = tfma_results.load_evaluation(uri)
    alone, nothing = tfma_results.load_evaluation(evaluation_uri)
    assert nothing is None
    assert tfma_results.read_metrics(candidate) == tfma_results.read_metrics(alone)
    baseline_accuracy = tfma_results.read_metrics(baseline).accuracy
    assert baseline_accuracy == pytest.approx(accuracy_and_loss(-logits, labels)[0])
    assert baseline_accuracy != pytest.approx(accuracy_and_loss(logits, labels)[0])
    assert dict(candidate.plots)[EVAL_SLICE] == dict(alone.plots)[EVAL_SLICE]


@pytest.mark.parametrize("lacking", LOST)
def test_evaluation_that_lacks_something(
    lacking: str,
    logits: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
    tmp_path: Path,
) -> None:
    config = eval_config()
    metrics = config.metrics_specs[0].metrics
    slices = {
        "eval": {"image_set": "eval"},
        "hard": {"image_set": "hard"},
    }
    if lacking == "classes":
        kept = [spec for spec in config.slicing_specs if not spec.feature_keys]
        del config.slicing_specs[:]
        config.slicing_specs.extend(kept)
    elif lacking in slices:
        kept = [
            spec
            for spec in config.slicing_specs
            if spec.feature_keys or dict(spec.feature_values) != slices[lacking]
        ]
        del config.slicing_specs[:]
        config.slicing_specs.extend(kept)
    else:
        kept = [
            m
            for m in metrics
            if lacking not in (m.class_name, *json.loads(m.config or "{}").values())
        ]
        assert len(kept) == len(metrics) - 1
        del metrics[:]
        metrics.extend(kept)
    uri = evaluate(tmp_path, config, logits)
    with pytest.raises(ValueError, match="an evaluation lacks .*expected the metrics and slices"):
        read(uri)


def test_loss_that_is_nan_stays_a_number(
    logits: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
    tmp_path: Path,
) -> None:
    broken = logits.copy()
    broken[0] = np.nan
    assert math.isnan(read(evaluate(tmp_path, eval_config(), broken)).loss)
