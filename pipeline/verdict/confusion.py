"""Reads the confusion matrix out of TFMA's evaluation."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.verdict.tfma_config import SliceKey


def confusion_matrix(
    plots: Sequence[tuple[SliceKey, Mapping]], num_classes: int, slice_key: SliceKey
) -> np.ndarray:
    """Reads the confusion matrix of one slice from `EvalResult.plots`.

    Args:
      plots: (slice key, {output: {sub key: plot}}) of TFMA, with multi-class confusion matrices.
      num_classes: classes are 0 to `num_classes` - 1; examples without a prediction are left out.
      slice_key: the slice whose plot is read; see pipeline/verdict/tfma_config.py.

    Returns:
      int64[num_classes, num_classes], examples by actual class (row) and predicted class.

    Raises:
      ValueError: the slice has no such plot.
    """
    by_slice = dict(plots)
    try:
        plot = by_slice[slice_key][""][""]["multiClassConfusionMatrixAtThresholds"]
        entries = plot["matrices"][0]["entries"]
    except (KeyError, IndexError) as error:
        raise ValueError(
            f"the evaluation has no confusion matrix of the slice {slice_key}; its slices with "
            f"plots are {list(by_slice)}"
        ) from error
    matrix = np.zeros((num_classes, num_classes), np.int64)
    for entry in entries:
        # Protocol buffers leave zeros out; TFMA's id for "no prediction" is -1.
        cell = entry.get("actualClassId", 0), entry.get("predictedClassId", 0)
        if all(0 <= label < num_classes for label in cell):
            matrix[cell] += round(entry.get("numWeightedExamples", 0))
    return matrix
