"""Evaluations by TFMA of logits that are made up, and TFX before the packages that need it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tfx.components  # noqa: F401 - TFMA and TFDV only import completely after it

import tensorflow_model_analysis as tfma  # isort: skip
from tensorflow_model_analysis.proto import config_pb2  # isort: skip

from modules import features
from pipeline import evaluation

NUM_CLASSES = 4
LABELS = np.array([0] * 20 + [1] * 15 + [2] * 5)  # class 3 never occurs


@pytest.fixture(scope="session")
def logits() -> np.ndarray:
    """Log-softmax float32[40, 4] in which class 2 never wins, and is never told either."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(len(LABELS), NUM_CLASSES)) + 1.5 * np.eye(NUM_CLASSES)[LABELS]
    scores[:, 2] -= 50
    return (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).astype(np.float32)


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    """The classes int64[40] of the examples that `logits` are about."""
    return LABELS


def _evaluate(path: Path, config: config_pb2.EvalConfig, *predictions: np.ndarray) -> str:
    """Writes TFMA's evaluation of log-probabilities: of one model, or candidate and baseline.

    The config is the pipeline's but for where the predictions come from, and the thresholds.
    """
    config = config_pb2.EvalConfig.FromString(config.SerializeToString())
    for metric in config.metrics_specs[0].metrics:
        metric.ClearField("per_slice_thresholds")
    spec = config.model_specs[0]
    spec.ClearField("model_type")
    spec.prediction_key = "prediction_0"
    columns = {features.IMAGE_CLASS: LABELS, "prediction_0": list(predictions[0])}
    if len(predictions) == 2:
        spec.name = tfma.CANDIDATE_KEY
        config.model_specs.add(
            name=tfma.BASELINE_KEY,
            is_baseline=True,
            label_key=features.IMAGE_CLASS,
            prediction_key="prediction_1",
        )
        columns["prediction_1"] = list(predictions[1])
    tfma.analyze_raw_data(pd.DataFrame(columns), config, output_path=str(path))
    return str(path)


@pytest.fixture(scope="session")
def evaluate() -> Callable[..., str]:
    """(path, EvalConfig, logits of the model, maybe a baseline's): writes an evaluation."""
    return _evaluate


@pytest.fixture(scope="session")
def eval_config() -> Callable[[], config_pb2.EvalConfig]:
    """Makes the pipeline's own EvalConfig for the classes of `logits`."""
    return lambda: evaluation.eval_config(evaluation.TF_LITE, NUM_CLASSES, 0.5, 0.1)


@pytest.fixture(scope="session")
def evaluation_uri(
    tmp_path_factory: pytest.TempPathFactory,
    eval_config: Callable[[], config_pb2.EvalConfig],
    logits: np.ndarray,
) -> str:
    """What an Evaluator without a baseline writes."""
    return _evaluate(tmp_path_factory.mktemp("evaluation"), eval_config(), logits)
