"""Precision and recall of every class, read off one multi-class confusion matrix.

TFMA's own Precision and Recall compute a histogram for each class and took most of an
Evaluator's time; these share the matrix that is counted for the confusion-matrix plot.
"""

import math

from tensorflow_model_analysis.metrics import (
    metric_types,
    metric_util,
    multi_class_confusion_matrix_metrics,
)
from tensorflow_model_analysis.proto import config_pb2

# TFMA takes a top prediction at or below the threshold for "no class predicted". Its default of 0
# is right for probabilities; logits may all be below it.
ANY_LOGIT = -1e9

_Counts = dict[tuple[int, int], float]  # {(actual class, predicted class): examples}


class PerClassPrecision(metric_types.Metric):
    """Share of the examples predicted as a class that are of that class; NaN where none are."""

    def __init__(self, num_classes: int, name: str = "precision"):
        super().__init__(_COMPUTATIONS, num_classes=num_classes, name=name, out_of="predicted")


class PerClassRecall(metric_types.Metric):
    """Share of the examples of a class that are predicted as it; NaN where there are none."""

    def __init__(self, num_classes: int, name: str = "recall"):
        super().__init__(_COMPUTATIONS, num_classes=num_classes, name=name, out_of="actual")


def _per_class(
    num_classes: int,
    name: str,
    out_of: str,
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Returns computations that divide each class's hits by its actual or predicted examples.

    Args:
      num_classes: there is a value for each class from 0 to `num_classes` - 1.
      name: of the metric; its keys carry the class in `sub_key`.
      out_of: "actual" or "predicted".
      eval_config: passed by TFMA, like the three arguments below, which must have these names.
      model_name: "candidate" or "baseline" when two models are evaluated.
      output_name: empty, because the models have one output.
      example_weighted: False, because there are no weights.
    """
    computations = multi_class_confusion_matrix_metrics.multi_class_confusion_matrices(
        thresholds=[ANY_LOGIT],
        eval_config=eval_config,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )
    matrix_key = computations[-1].keys[-1]
    keys = [
        metric_types.MetricKey(
            name=name,
            model_name=model_name,
            output_name=output_name,
            sub_key=metric_types.SubKey(class_id=label),
            example_weighted=example_weighted,
        )
        for label in range(num_classes)
    ]

    def result(metrics: dict) -> dict[metric_types.MetricKey, float]:
        counts: _Counts = metrics[matrix_key].get(ANY_LOGIT, {})
        totals = dict.fromkeys(range(num_classes), 0.0)
        for (actual, predicted), count in counts.items():
            label = actual if out_of == "actual" else predicted
            if label in totals:  # a baseline may know classes that the data no longer has
                totals[label] += count
        return {
            key: counts.get((label, label), 0.0) / totals[label] if totals[label] else math.nan
            for label, key in enumerate(keys)
        }

    return [*computations, metric_types.DerivedMetricComputation(keys=keys, result=result)]


_COMPUTATIONS = metric_util.merge_per_key_computations(_per_class)
