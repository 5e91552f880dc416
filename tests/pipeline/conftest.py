"""Evaluations by TFMA of logits that are made up, and TFX before the packages that need it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tfx.components  # noqa: F401 - TFMA and TFDV only import completely after it

import tensorflow_model_analysis as tfma  # isort: skip
from tensorflow_model_analysis.proto import config_pb2  # isort: skip

from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.splits import Split
from modules import features
from pipeline.verdict import tfma_config
from pipeline.verdict.limits import Limits

NUM_CLASSES = 4
LABELS = np.array([0] * 20 + [1] * 15 + [2] * 5)  # class 3 never occurs


@pytest.fixture(autouse=True)
def _no_settings_of_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the training set some for all; commands would ask JAX about each."""
    for name in [name for name in os.environ if name.startswith("JAX_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The least that is needed: a data set of one image a split, and a place for the output."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for images, labels in (FILE_NAMES[:2], FILE_NAMES[2:]):
        write_idx(folder / images, np.zeros((1, 28, 28), np.uint8))
        write_idx(folder / labels, np.zeros(1, np.uint8))
    return {"DATASET": str(folder), "OUTPUT": str(tmp_path / "new" / "output")}


@pytest.fixture(scope="session")
def logits() -> np.ndarray:
    """Logits float32[40, 4], all below zero, in which class 2 never wins, and is never told."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(len(LABELS), NUM_CLASSES)) + 1.5 * np.eye(NUM_CLASSES)[LABELS]
    scores[:, 2] -= 50
    return (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).astype(np.float32)


@pytest.fixture(scope="session")
def hard_logits(logits: np.ndarray) -> np.ndarray:
    """Logits float32[40, 4] for the hard set's examples, which have the same classes."""
    return _on_hard(logits)


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    """The classes int64[40] of the test set, and again of the hard set."""
    return LABELS


def _on_hard(test: np.ndarray) -> np.ndarray:
    """Makes up the logits for the hard set from those for the test set."""
    return test[::-1]


def _evaluate(
    path: Path,
    config: config_pb2.EvalConfig,
    *predictions: np.ndarray,
    hard: np.ndarray | None = None,
    sets: tuple[str, ...] = (Split.EVAL, Split.HARD),
    thresholds: bool = False,
) -> str:
    """Writes TFMA's evaluation of logits: of one model, or candidate and baseline.

    The config is the pipeline's but for where the predictions come from.

    Args:
      path: folder to write into.
      config: the EvalConfig.
      predictions: of each model for the test set.
      hard: of every model for the hard set; if None, `_on_hard` of those for the test set.
      sets: to take examples from.
      thresholds: whether to validate; for one model only.
    """
    config = config_pb2.EvalConfig.FromString(config.SerializeToString())
    if thresholds:  # as TFX's Evaluator does on a first run
        config = tfma.utils.update_eval_config_with_defaults(config, rubber_stamp=True)
    else:
        for metric in config.metrics_specs[0].metrics:
            metric.ClearField("per_slice_thresholds")
    spec = config.model_specs[0]
    spec.ClearField("model_type")
    spec.prediction_key = "prediction_0"
    columns = {
        features.IMAGE_CLASS: np.tile(LABELS, 2),
        features.IMAGE_SET: np.repeat([Split.EVAL, Split.HARD], len(LABELS)),
    }
    for number, test in enumerate(predictions):
        columns[f"prediction_{number}"] = [*test, *(_on_hard(test) if hard is None else hard)]
    if len(predictions) == 2:
        spec.name = tfma.CANDIDATE_KEY
        config.model_specs.add(
            name=tfma.BASELINE_KEY,
            is_baseline=True,
            label_key=features.IMAGE_CLASS,
            prediction_key="prediction_1",
        )
    examples = pd.DataFrame(columns)
    examples = examples[examples[features.IMAGE_SET].isin(sets)]
    tfma.analyze_raw_data(examples, config, output_path=str(path))
    return str(path)


@pytest.fixture(scope="session")
def evaluate() -> Callable[..., str]:
    """Writes an evaluation of made-up logits; see `_evaluate`."""
    return _evaluate


@pytest.fixture(scope="session")
def eval_config() -> Callable[[], config_pb2.EvalConfig]:
    """Makes the pipeline's own EvalConfig for the classes of `logits`."""
    limits = Limits(min_accuracy=0.5, max_drop_from_last=0.1)
    return lambda: tfma_config.eval_config(tfma_config.TF_LITE, NUM_CLASSES, len(LABELS), limits)


@pytest.fixture(scope="session")
def evaluation_uri(
    tmp_path_factory: pytest.TempPathFactory,
    eval_config: Callable[[], config_pb2.EvalConfig],
    logits: np.ndarray,
) -> str:
    """What an Evaluator without a baseline writes."""
    return _evaluate(tmp_path_factory.mktemp("evaluation"), eval_config(), logits)
