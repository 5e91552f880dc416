"""The Evaluators' configs: the same questions to all formats, judged on the test set."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2, validation_result_pb2

from data.splits import Split
from pipeline.verdict import tfma_config
from pipeline.verdict.limits import Limits

TEST = config_pb2.SlicingSpec(feature_values={"image_set": "eval"})


def _config(model_type: str, examples: int = 10_000) -> config_pb2.EvalConfig:
    return tfma_config.eval_config(
        model_type, 26, examples, Limits(min_accuracy=0.9, max_drop_from_last=0.02)
    )


def test_only_the_type_of_the_model_differs() -> None:
    server, device = _config(tfma_config.TF_SAVED_MODEL), _config(tfma_config.TF_LITE)
    assert (server.model_specs[0].model_type, device.model_specs[0].model_type) == (
        "tf_generic",
        "tf_lite",
    )
    assert server != device
    for config in (server, device):
        config.model_specs[0].ClearField("model_type")
    assert server == device


def test_label_and_slices() -> None:
    config = _config(tfma_config.TF_LITE)
    assert [spec.label_key for spec in config.model_specs] == ["image_class"]
    assert list(config.slicing_specs) == [
        TEST,
        config_pb2.SlicingSpec(feature_values={"image_set": "eval"}, feature_keys=["image_class"]),
        config_pb2.SlicingSpec(feature_values={"image_set": "hard"}),
    ]


def test_slice_keys_are_those_of_an_evaluation(
    evaluation_uri: str, logits: np.ndarray, hard_logits: np.ndarray, labels: np.ndarray
) -> None:
    """With the examples that they name; a class that does not occur has no slice."""
    result = tfma.load_eval_result(evaluation_uri)
    right = logits.argmax(axis=1) == labels
    expected = {tfma_config.class_slice(label): right[labels == label] for label in range(3)}
    expected[tfma_config.EVAL_SLICE] = right
    expected[tfma_config.HARD_SLICE] = hard_logits.argmax(axis=1) == labels
    assert right.mean() != expected[tfma_config.HARD_SLICE].mean()
    found = {key: outputs[""][""] for key, outputs in result.slicing_metrics}
    assert {key: metrics["example_count"]["doubleValue"] for key, metrics in found.items()} == {
        key: len(values) for key, values in expected.items()
    }
    for key, metrics in found.items():
        assert metrics["accuracy"]["doubleValue"] == pytest.approx(expected[key].mean())
    assert {key for key, _ in result.plots} == set(expected)


@pytest.fixture
def validate(
    tmp_path: Path,
    labels: np.ndarray,
    eval_config: Callable[[], config_pb2.EvalConfig],
    evaluate: Callable[..., str],
) -> Callable[..., validation_result_pb2.ValidationResult]:
    """Has TFMA validate a model that is always or never right on each of the given sets."""

    def run(**is_right: bool) -> validation_result_pb2.ValidationResult:
        right = np.log(np.eye(4, dtype=np.float32)[labels] * 0.9 + 0.025)
        wrong = right[:, [1, 2, 0, 3]]
        test, hard = (right if is_right.get(name) else wrong for name in (Split.EVAL, Split.HARD))
        uri = evaluate(
            tmp_path, eval_config(), test, hard=hard, sets=tuple(is_right), thresholds=True
        )
        return tfma.load_validation_result(uri)

    return run


@pytest.mark.parametrize(
    "is_right", [{"eval": True, "hard": True}, {"eval": True, "hard": False}, {"eval": True}]
)
def test_a_model_right_on_the_test_set_passes(
    validate: Callable[..., validation_result_pb2.ValidationResult], is_right: dict[str, bool]
) -> None:
    """And a class without examples is no obstacle."""
    result = validate(**is_right)
    assert result.validation_ok
    assert [d.slicing_spec for d in result.validation_details.slicing_details] == [TEST]


def test_a_model_wrong_on_the_test_set_fails_whatever_it_is_on_the_hard_one(
    validate: Callable[..., validation_result_pb2.ValidationResult],
) -> None:
    result = validate(eval=False, hard=True)
    assert not result.validation_ok
    (failed,) = result.metric_validations_per_slice
    assert [key.bytes_value for key in failed.slice_key.single_slice_keys] == [b"eval"]
    assert [failure.metric_key.name for failure in failed.failures] == ["accuracy"]


def test_a_model_without_a_test_set_fails(
    validate: Callable[..., validation_result_pb2.ValidationResult],
) -> None:
    result = validate(hard=True)
    assert not result.validation_ok
    assert list(result.missing_slices) == [TEST]


def test_metrics() -> None:
    (spec,) = _config(tfma_config.TF_LITE).metrics_specs
    names = {
        json.loads(metric.config or "{}").get("name", metric.class_name): metric.class_name
        for metric in spec.metrics
    }
    assert names == {
        "ExampleCount": "ExampleCount",
        "accuracy": "SparseCategoricalAccuracy",
        "loss": "SparseCategoricalCrossentropy",
        "MultiClassConfusionMatrixPlot": "MultiClassConfusionMatrixPlot",
        "PerClassPrecision": "PerClassPrecision",
        "PerClassRecall": "PerClassRecall",
    }
    per_class = [metric for metric in spec.metrics if metric.module]
    assert {metric.module for metric in per_class} == {"modules.inference.metrics"}
    assert [json.loads(metric.config) for metric in per_class] == [{"num_classes": 26}] * 2


def test_thresholds_are_those_of_accuracy_on_the_test_set_only() -> None:
    """A plain threshold would hold for every slice."""
    (spec,) = _config(tfma_config.TF_SAVED_MODEL).metrics_specs
    assert not spec.thresholds and not spec.per_slice_thresholds
    assert not any(metric.HasField("threshold") for metric in spec.metrics)
    (limited,) = [metric for metric in spec.metrics if metric.per_slice_thresholds]
    assert limited.class_name == "SparseCategoricalAccuracy"
    (threshold,) = limited.per_slice_thresholds
    assert list(threshold.slicing_specs) == [TEST]
    value, change = threshold.threshold.value_threshold, threshold.threshold.change_threshold
    assert value.lower_bound.value == pytest.approx(0.9)
    assert not value.HasField("upper_bound")
    assert change.absolute.value == pytest.approx(-0.02)
    assert change.direction == config_pb2.MetricDirection.HIGHER_IS_BETTER
    assert not change.HasField("relative")


def test_a_small_test_set_leaves_what_chance_excuses_to_the_comparison() -> None:
    (spec,) = _config(tfma_config.TF_LITE, examples=20).metrics_specs
    (limited,) = [metric for metric in spec.metrics if metric.per_slice_thresholds]
    threshold = limited.per_slice_thresholds[0].threshold
    # Two are allowed by the share, and four of twenty explained by chance.
    assert threshold.value_threshold.lower_bound.value == pytest.approx(0.8)
    assert threshold.change_threshold.absolute.value == pytest.approx(-4 / 20)
