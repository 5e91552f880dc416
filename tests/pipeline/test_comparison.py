"""What decides on a blessing: every limit from both sides, and how metrics are read."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorflow_model_analysis.proto import config_pb2

from pipeline import comparison
from pipeline.comparison import Check, Metrics
from pipeline.config import Limits

LIMITS = Limits(0.9, 0.02, 0.001, 0.005, 0.999)
REFERENCE = Metrics(0.991, 0.03, {"0": 0.95, "1": 1.0})
NAN = math.nan


def _server(accuracy: float, blessed: bool = True) -> dict[str, Check]:
    metrics = Metrics(accuracy, 0.1, {"0": accuracy})
    return {check.name: check for check in comparison.server_checks(metrics, blessed, LIMITS)}


def _device(
    accuracy: float = 0.991,
    classes: dict[str, float] = REFERENCE.per_class_accuracy,
    agreement: float = 1.0,
    blessed: bool = True,
    reference: Metrics = REFERENCE,
) -> dict[str, Check]:
    metrics = Metrics(accuracy, 0.03, classes)
    checks = comparison.device_checks(metrics, reference, agreement, blessed, LIMITS)
    return {check.name: check for check in checks}


def _failed(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if not check.passed]


def test_names_values_and_limits() -> None:
    assert _server(0.95) == {
        "evaluator_blessing": Check("evaluator_blessing", 1.0, 1.0, True),
        "min_accuracy": Check("min_accuracy", 0.95, 0.9, True),
    }
    assert _device(0.9905, {"0": 0.948, "1": 0.999}, 0.9995) == {
        "evaluator_blessing": Check("evaluator_blessing", 1.0, 1.0, True),
        "min_accuracy": Check("min_accuracy", 0.9905, 0.9, True),
        "max_accuracy_drop": Check("max_accuracy_drop", 0.0005, 0.001, True),
        "max_class_accuracy_drop": Check("max_class_accuracy_drop", 0.002, 0.005, True),
        "min_agreement": Check("min_agreement", 0.9995, 0.999, True),
    }


@pytest.mark.parametrize(
    ("accuracy", "failed"),
    [(0.9, []), (0.9001, []), (0.8999, ["min_accuracy"]), (NAN, ["min_accuracy"])],
)
def test_server_accuracy(accuracy: float, failed: list[str]) -> None:
    assert _failed(_server(accuracy)) == failed


@pytest.mark.parametrize(
    ("accuracy", "passed"), [(0.99, True), (0.97, True), (0.9699, False), (NAN, False)]
)
def test_drop_from_the_last_blessed_model(accuracy: float, passed: bool) -> None:
    metrics = Metrics(accuracy, 0.03, REFERENCE.per_class_accuracy)
    *_, check = comparison.server_checks(metrics, True, LIMITS, last_accuracy=0.99)
    assert (check.name, check.limit, check.passed) == ("max_drop_from_last", 0.02, passed)
    device = comparison.device_checks(metrics, metrics, 1.0, True, LIMITS, last_accuracy=0.99)
    assert [found.passed for found in device if found.name == check.name] == [passed]


def test_the_evaluator_has_the_last_word() -> None:
    assert _failed(_server(0.95, blessed=False)) == ["evaluator_blessing"]
    assert _failed(_device(blessed=False)) == ["evaluator_blessing"]
    assert _server(0.95, blessed=False)["evaluator_blessing"].value == 0.0


@pytest.mark.parametrize(("accuracy", "failed"), [(0.9, []), (0.8999, ["min_accuracy"]), (1.0, [])])
def test_device_accuracy(accuracy: float, failed: list[str]) -> None:
    """Against a reference that is no better, so that nothing is dropped."""
    reference = Metrics(accuracy, 0.1, REFERENCE.per_class_accuracy)
    assert _failed(_device(accuracy, reference=reference)) == failed


@pytest.mark.parametrize(
    ("accuracy", "failed"),
    [
        (0.990, []),  # 0.991 - 0.990 is 0.0010000000000000009
        (float(np.float32(0.990)), []),
        (0.9901, []),
        (0.995, []),
        (0.98999, ["max_accuracy_drop"]),
        (NAN, ["min_accuracy", "max_accuracy_drop"]),
    ],
)
def test_accuracy_drop(accuracy: float, failed: list[str]) -> None:
    assert _failed(_device(accuracy)) == failed


def test_accuracy_drop_from_nan_fails() -> None:
    assert _failed(_device(reference=dataclasses.replace(REFERENCE, accuracy=NAN))) == [
        "max_accuracy_drop"
    ]


@pytest.mark.parametrize(
    ("classes", "value"),
    [
        ({"0": 0.945, "1": 1.0}, 0.005),
        ({"0": 0.95, "1": float(np.float32(0.995))}, 0.005),
        ({"0": 0.9451, "1": 0.999}, 0.0049),
        ({"0": 1.0, "1": 1.0}, 0.0),
    ],
)
def test_class_drop_that_is_allowed(classes: dict[str, float], value: float) -> None:
    check = _device(classes=classes)["max_class_accuracy_drop"]
    assert check.passed and check.value == pytest.approx(value)


@pytest.mark.parametrize(
    "classes",
    [
        {"0": 0.94499, "1": 1.0},
        {"0": 1.0, "1": 0.994},
        {"0": NAN, "1": 1.0},
        {"0": 1.0, "1": NAN},
    ],
)
def test_class_drop_that_is_not(classes: dict[str, float]) -> None:
    """Whichever class it is: a NaN must not hide behind another class's drop."""
    assert _failed(_device(classes=classes)) == ["max_class_accuracy_drop"]


@pytest.mark.parametrize(
    ("agreement", "failed"),
    [(0.999, []), (0.9991, []), (0.9989, ["min_agreement"]), (NAN, ["min_agreement"])],
)
def test_agreement_limit(agreement: float, failed: list[str]) -> None:
    assert _failed(_device(agreement=agreement)) == failed


def test_agreement_is_of_the_best_class() -> None:
    reference = np.array([[-1, -2, -3], [-3, -1, -2], [-2, -3, -1], [-1, -2, -3]], np.float32)
    other = np.array([[-4, -9, -9], [-3, -2, -1], [-8, -9, -7], [-2, -1, -3]], np.float32)
    assert comparison.agreement(reference, other) == 0.5
    assert comparison.agreement(reference, reference) == 1.0


def test_model_entry_is_the_element_of_comparison_json() -> None:
    reference = np.array([[-1, -2], [-2, -1]], np.float32)
    checks = [Check("min_accuracy", 0.95, 0.9, True), Check("min_agreement", 0.5, 0.999, False)]
    latency = {"p50": 10.0, "p90": 20.0}
    arguments = ("float32", "tf_lite", 1234, REFERENCE, reference - [[0.5], [0.25]], reference)
    entry = comparison.model_entry(*arguments, latency, checks)
    assert entry == {
        "name": "float32",
        "model_type": "tf_lite",
        "bytes": 1234,
        "metrics": {"accuracy": 0.991, "loss": 0.03},
        "per_class_accuracy": {"0": 0.95, "1": 1.0},
        "agreement": 1.0,
        "max_abs_logit_difference": 0.5,
        "latency_us": {"batch_1": latency},
        "checks": [
            {"name": "min_accuracy", "value": 0.95, "limit": 0.9, "passed": True},
            {"name": "min_agreement", "value": 0.5, "limit": 0.999, "passed": False},
        ],
        "blessed": False,
        "pushed_to": None,
    }
    assert json.loads(json.dumps(entry)) == entry
    assert comparison.model_entry(*arguments, latency, checks[:1])["blessed"] is True


def test_metrics_are_read_overall_and_by_class(
    evaluation_uri: str, logits: np.ndarray, labels: np.ndarray
) -> None:
    metrics = comparison.read_metrics(evaluation_uri)
    right = logits.argmax(axis=1) == labels
    assert metrics.accuracy == pytest.approx(right.mean())
    assert metrics.loss == pytest.approx(-logits[np.arange(len(labels)), labels].mean(), rel=1e-5)
    assert list(metrics.per_class_accuracy) == ["0", "1", "2"]
    assert metrics.per_class_accuracy == pytest.approx(
        {str(label): right[labels == label].mean() for label in range(3)}
    )


def test_the_candidate_is_read_where_there_is_a_baseline(
    evaluation_uri: str,
    logits: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
    tmp_path: Path,
) -> None:
    uri = evaluate(tmp_path, eval_config(), logits, -logits)
    assert comparison.read_metrics(uri) == comparison.read_metrics(evaluation_uri)
    plots, expected = (dict(comparison.load_evaluation(u).plots) for u in (uri, evaluation_uri))
    assert plots == expected and set(plots) == {(), *((("image_class", k),) for k in range(3))}


@pytest.mark.parametrize("lacking", ["accuracy", "loss", "ExampleCount", "slices", "overall"])
def test_evaluation_that_lacks_something(
    lacking: str,
    logits: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
    tmp_path: Path,
) -> None:
    config = eval_config()
    metrics = config.metrics_specs[0].metrics
    if lacking == "overall":
        del config.slicing_specs[0]
    elif lacking == "slices":
        del config.slicing_specs[1]
    else:
        kept = [
            m
            for m in metrics
            if lacking not in (m.class_name, *json.loads(m.config or "{}").values())
        ]
        del metrics[:]
        metrics.extend(kept)
    uri = evaluate(tmp_path, config, logits)
    with pytest.raises(ValueError, match=f"the evaluation at {uri} lacks .* by image_class"):
        comparison.read_metrics(uri)


def test_loss_that_is_nan_stays_a_number(
    logits: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
    tmp_path: Path,
) -> None:
    broken = logits.copy()
    broken[0] = np.nan
    assert math.isnan(comparison.read_metrics(evaluate(tmp_path, eval_config(), broken)).loss)
