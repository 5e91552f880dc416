"""Holds what one runtime answers against what another one does, on the same images."""

import numpy as np

from modules.inference.runtimes.running import Answers
from pipeline.verdict.answers import agreement, is_right
from pipeline.verdict.runtimes.compared import Difference, RuntimeMetrics


def measure(
    found: Answers, expected: Answers, labels: np.ndarray, rows: np.ndarray, tie: float
) -> RuntimeMetrics:
    """Returns what one runtime says, held against what another one does.

    Args:
      found: its answers.
      expected: the other's, of the same images.
      labels: int64[N], the true classes.
      rows: int64[N], where the images are in the eval split.
      tie: see `Recipe.tie`.
    """
    theirs, ours = is_right(expected.logits, labels), is_right(found.logits, labels)
    classes = expected.logits.argmax(axis=1), found.logits.argmax(axis=1)
    differing = np.flatnonzero(classes[0] != classes[1])
    steps = None
    if found.is_quantized:
        steps = int(np.abs(found.stored.astype(int) - expected.stored.astype(int)).max())
    with np.errstate(all="ignore"):  # a NaN is told as one
        distance = float(np.abs(found.logits - expected.logits).max())
    return RuntimeMetrics(
        images=len(labels),
        accuracy=float(ours.mean()),
        agreement=agreement(expected.logits, found.logits),
        agreement_but_for_ties=agreement(expected.logits, found.logits, tie),
        lost=int(np.sum(theirs & ~ours)),
        gained=int(np.sum(ours & ~theirs)),
        max_step_difference=steps,
        max_logit_difference=distance,
        ms_per_image=round(1000 * found.seconds / len(labels), 3),
        first_difference=Difference(*(int(each[differing[0]]) for each in (rows, labels, *classes)))
        if len(differing)
        else None,
    )
