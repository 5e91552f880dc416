"""What TFMA measures on a handful of images, of one class and of a hundred."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow_model_analysis as tfma

from data.splits import Split
from modules import features
from pipeline.verdict import tfma_config, tfma_results
from pipeline.verdict.limits import Limits


@pytest.mark.parametrize(("num_classes", "images"), [(1, 10), (2, 10), (3, 1), (100, 10)])
def test_metrics_and_confusion_of_any_number_of_classes(
    num_classes: int, images: int, tmp_path: Path
) -> None:
    """Nine classes in ten have no image, where there are a hundred."""
    config = tfma_config.eval_config(tfma_config.TF_LITE, num_classes, images, Limits())
    config.model_specs[0].ClearField("model_type")
    for metric in config.metrics_specs[0].metrics:
        metric.ClearField("per_slice_thresholds")
    labels = np.arange(images) % num_classes
    logits = 3 * np.eye(num_classes, dtype=np.float32)[labels] - 5
    columns = {
        features.IMAGE_CLASS: np.tile(labels, 2),
        features.IMAGE_SET: np.repeat([Split.EVAL, Split.HARD], images),
        features.LOGITS: [*logits, *logits],
    }
    tfma.analyze_raw_data(pd.DataFrame(columns), config, output_path=str(tmp_path))
    result, _ = tfma_results.load_evaluation(str(tmp_path))
    metrics = tfma_results.read_metrics(result)
    assert (metrics.accuracy, metrics.examples) == (1, images)
    counts = np.bincount(labels, minlength=num_classes)
    present = {str(label): int(count) for label, count in enumerate(counts) if count}
    assert metrics.class_examples == present
    matrix = tfma_results.confusion_of_test(result, num_classes)
    np.testing.assert_array_equal(matrix, np.diag(counts))
