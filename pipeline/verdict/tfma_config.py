"""What every Evaluator measures: one EvalConfig in which only the model's type differs.

There are two sets of examples. The test set is the data set's own, and it alone decides on a
blessing, so that figures compare with those that others publish. The hard set is the same images
shifted, rotated and scaled (`data/hard.py`), which tells how a model does on less tidy ones.
"""

import json

import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from data.splits import Split
from modules import features
from modules.inference import metrics
from pipeline.verdict import allowance
from pipeline.verdict.limits import Limits

TF_SAVED_MODEL = tfma.TF_GENERIC
TF_LITE = tfma.TF_LITE

# Keys of `tfma.EvalResult.slicing_metrics` and `.plots`.
SliceKey = tuple[tuple[str, str | int], ...]
EVAL_SLICE: SliceKey = ((features.IMAGE_SET, Split.EVAL),)
HARD_SLICE: SliceKey = ((features.IMAGE_SET, Split.HARD),)


def class_slice(label: int) -> SliceKey:
    """Returns the key of the test set's examples of one class; TFMA has none without examples."""
    # In the order of the names, as TFMA sorts them.
    return ((features.IMAGE_CLASS, label), *EVAL_SLICE)


def eval_config(
    model_type: str, num_classes: int, examples: int, limits: Limits
) -> tfma.EvalConfig:
    """Returns the EvalConfig for one format of the model.

    The slices are EVAL_SLICE, `class_slice` of every class, and HARD_SLICE.

    Args:
      model_type: TF_SAVED_MODEL or TF_LITE.
      num_classes: classes for which precision and recall are reported.
      examples: of the test set.
      limits: `min_accuracy` and `max_drop_from_last` decide on a blessing. Where the test set is
        too small for them, what chance excuses is left to the Comparison; see `allowance`.
    """
    min_accuracy = allowance.least_accuracy(examples, limits)
    max_accuracy_drop = allowance.largest_drop(examples, limits)
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": min_accuracy}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
            absolute={"value": -max_accuracy_drop},
        ),
    )
    test, hard = (
        tfma.SlicingSpec(feature_values={features.IMAGE_SET: name})
        for name in (Split.EVAL, Split.HARD)
    )
    test_by_class = tfma.SlicingSpec(
        feature_values={features.IMAGE_SET: Split.EVAL}, feature_keys=[features.IMAGE_CLASS]
    )
    # A plain `threshold` would hold for every slice: a class of a few images would then decide.
    test_threshold = config_pb2.PerSliceMetricThreshold(slicing_specs=[test], threshold=threshold)
    by_class = [
        tfma.MetricConfig(
            class_name="MultiClassConfusionMatrixPlot",
            config=json.dumps({"thresholds": [metrics.ANY_LOGIT]}),
        ),
        *(
            tfma.MetricConfig(
                class_name=metric.__name__,
                module=metrics.__name__,
                config=json.dumps({"num_classes": num_classes}),
            )
            for metric in (metrics.PerClassPrecision, metrics.PerClassRecall)
        ),
    ]
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                model_type=model_type,
                label_key=features.IMAGE_CLASS,
                prediction_key=features.LOGITS,
            )
        ],
        # No overall slice: it would mix the two sets.
        slicing_specs=[test, test_by_class, hard],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    tfma.MetricConfig(class_name="ExampleCount"),
                    tfma.MetricConfig(
                        class_name="SparseCategoricalAccuracy",
                        config='{"name": "accuracy"}',
                        per_slice_thresholds=[test_threshold],
                    ),
                    tfma.MetricConfig(
                        class_name="SparseCategoricalCrossentropy",
                        config='{"name": "loss", "from_logits": true}',
                    ),
                    # TFMA takes a single output for the probability of one of two classes.
                    *(by_class if num_classes > 1 else ()),
                ]
            )
        ],
    )
