"""What is known of a model when it is judged."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline.verdict.runtimes.compared import ComparedFile
from pipeline.verdict.tfma_results import EvaluatorMetrics
from pipeline.verdict.verdict import Conversion, Latency


class Logits(NamedTuple):
    """What one model says.

    Attributes:
      test: float32[N, classes] of the test images, in batches.
      hard: the same of the hard images.
      sampled: int64[S], some rows of `test`.
      alone: float32[S, classes] of these images, each given to the model by itself.
    """

    test: np.ndarray
    hard: np.ndarray
    sampled: np.ndarray
    alone: np.ndarray


class Labels(NamedTuple):
    """The true classes int64[N] of the test images and of the hard images."""

    test: np.ndarray
    hard: np.ndarray


@dataclasses.dataclass(frozen=True)
class Measured:
    """All that is known of one model that was run.

    Attributes:
      name: REFERENCE or that of the recipe.
      size_bytes: of the files that are shipped.
      altered_files: how many of them are not what was checked after the export.
      metrics: what its Evaluator measured.
      evaluator_blessed: what its Evaluator decided.
      last_accuracy: of the last blessed model on the same images; None when there is none.
      logits: of all images.
      own_loss: mean cross-entropy in nats that follows from the logits of the test images.
      contradictions: how many answers of the SavedModel do not follow from its logits; None for
        models that give nothing but logits.
      latency_us: of a single image, by how it was run.
      conversion: what is known of it, for a device model.
      compared: what other runtimes make of it; None where that was not asked.
      needed_bytes: what the network needs by the recipe, however small its weights are.
    """

    name: str
    size_bytes: int
    altered_files: int
    metrics: EvaluatorMetrics
    evaluator_blessed: bool
    last_accuracy: float | None
    logits: Logits
    own_loss: float
    contradictions: int | None
    latency_us: Mapping[str, Latency]
    conversion: Conversion | None = None
    compared: ComparedFile | None = None
    needed_bytes: int = 0


@dataclasses.dataclass(frozen=True)
class Refused:
    """A device model that cannot be run, or must not be.

    Attributes:
      name: of the recipe.
      size_bytes: of the file; None where there is none.
      reason: one sentence.
    """

    name: str
    size_bytes: int | None
    reason: str
