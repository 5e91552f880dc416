"""What both Evaluators measure: one EvalConfig in which only the model's type differs."""

import tensorflow_model_analysis as tfma

from modules import features

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
    accuracy = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": min_accuracy}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
            absolute={"value": -max_accuracy_drop},
        ),
    )
    # Logits are log-probabilities: with top_k=1 a class is predicted when it is the largest.
    per_class = [
        tfma.MetricConfig(
            class_name=name, config=f'{{"name": "{name.lower()}", "top_k": 1, "class_id": {label}}}'
        )
        for name in ("Precision", "Recall")
        for label in range(num_classes)
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
                        threshold=accuracy,
                    ),
                    tfma.MetricConfig(
                        class_name="SparseCategoricalCrossentropy",
                        config='{"name": "loss", "from_logits": true}',
                    ),
                    tfma.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
                    *per_class,
                ]
            )
        ],
    )
