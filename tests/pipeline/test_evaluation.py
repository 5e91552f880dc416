"""The two Evaluators' configs: the same questions to both formats, judged on all examples."""

import json

import pytest
from tensorflow_model_analysis.proto import config_pb2

from pipeline import evaluation


def _config(model_type: str) -> config_pb2.EvalConfig:
    return evaluation.eval_config(model_type, 26, min_accuracy=0.9, max_accuracy_drop=0.02)


def test_only_the_type_of_the_model_differs() -> None:
    server, device = _config(evaluation.TF_SAVED_MODEL), _config(evaluation.TF_LITE)
    assert (server.model_specs[0].model_type, device.model_specs[0].model_type) == (
        "tf_generic",
        "tf_lite",
    )
    assert server != device
    for config in (server, device):
        config.model_specs[0].ClearField("model_type")
    assert server == device


def test_label_and_slices() -> None:
    config = _config(evaluation.TF_LITE)
    assert [spec.label_key for spec in config.model_specs] == ["image_class"]
    assert [list(spec.feature_keys) for spec in config.slicing_specs] == [[], ["image_class"]]


def test_metrics() -> None:
    (spec,) = _config(evaluation.TF_LITE).metrics_specs
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
    assert {metric.module for metric in per_class} == {"modules.metrics"}
    assert [json.loads(metric.config) for metric in per_class] == [{"num_classes": 26}] * 2


def test_thresholds_are_those_of_accuracy_on_the_overall_slice_only() -> None:
    """A plain threshold would hold for every slice."""
    (spec,) = _config(evaluation.TF_SAVED_MODEL).metrics_specs
    assert not spec.thresholds and not spec.per_slice_thresholds
    assert not any(metric.HasField("threshold") for metric in spec.metrics)
    (limited,) = [metric for metric in spec.metrics if metric.per_slice_thresholds]
    assert limited.class_name == "SparseCategoricalAccuracy"
    (threshold,) = limited.per_slice_thresholds
    assert list(threshold.slicing_specs) == [config_pb2.SlicingSpec()]
    value, change = threshold.threshold.value_threshold, threshold.threshold.change_threshold
    assert value.lower_bound.value == pytest.approx(0.9)
    assert not value.HasField("upper_bound")
    assert change.absolute.value == pytest.approx(-0.02)
    assert change.direction == config_pb2.MetricDirection.HIGHER_IS_BETTER
    assert not change.HasField("relative")
