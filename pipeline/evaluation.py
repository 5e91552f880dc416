"""What both Evaluators measure: one EvalConfig in which only the model's type differs."""

import json

import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from modules import features, metrics

TF_SAVED_MODEL = tfma.TF_GENERIC
TF_LITE = tfma.TF_LITE


def eval_config(
    model_type: str, num_classes: int, min_accuracy: float, max_accuracy_drop: float
) -> tfma.EvalConfig:
    """Returns the EvalConfig for one format of the model.

    Args:
      model_type: TF_SAVED_MODEL or TF_LITE.
      num_classes: classes for which precision and recall are reported.
      min_accuracy: share of the eval split, in [0, 1], that must be right for a blessing.
      max_accuracy_drop: share by which accuracy may be below that of the last blessed model.
    """
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": min_accuracy}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
            absolute={"value": -max_accuracy_drop},
        ),
    )
    # A plain `threshold` would hold for every slice: a class of a few images would then decide.
    overall_threshold = config_pb2.PerSliceMetricThreshold(
        slicing_specs=[tfma.SlicingSpec()], threshold=threshold
    )
    per_class = [
        tfma.MetricConfig(
            class_name=metric.__name__,
            module=metrics.__name__,
            config=json.dumps({"num_classes": num_classes}),
        )
        for metric in (metrics.PerClassPrecision, metrics.PerClassRecall)
    ]
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(model_type=model_type, label_key=features.IMAGE_CLASS)],
        slicing_specs=[
            tfma.SlicingSpec(),
            tfma.SlicingSpec(feature_keys=[features.IMAGE_CLASS]),
        ],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    tfma.MetricConfig(class_name="ExampleCount"),
                    tfma.MetricConfig(
                        class_name="SparseCategoricalAccuracy",
                        config='{"name": "accuracy"}',
                        per_slice_thresholds=[overall_threshold],
                    ),
                    tfma.MetricConfig(
                        class_name="SparseCategoricalCrossentropy",
                        config='{"name": "loss", "from_logits": true}',
                    ),
                    tfma.MetricConfig(
                        class_name="MultiClassConfusionMatrixPlot",
                        config=json.dumps({"thresholds": [metrics.ANY_LOGIT]}),
                    ),
                    *per_class,
                ]
            )
        ],
    )
