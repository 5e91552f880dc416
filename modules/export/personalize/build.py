"""Puts a personal model together: base and training in one file, checked."""

import dataclasses
from pathlib import Path

from tensorflow.lite.tools import flatbuffer_utils

from modules import features, personal_names
from modules.export.graph import flatbuffer
from modules.export.personalize import checks, merging, training_model, zeros
from modules.inference import litert
from modules.personal.training_step import TrainingStep


@dataclasses.dataclass(frozen=True)
class Built:
    """A personal model.

    Attributes:
      content: of the file.
      worst_difference: the largest between TFLite and JAX in the steps of the check.
      base_bytes: of the base alone.
    """

    content: bytes
    worst_difference: float
    base_bytes: int


def build(base: str, output: str, step: TrainingStep, batch_size: int) -> Built:
    """Returns a file with the signatures bottleneck, infer, train_step and initial.

    Args:
      base: path of a TFLite file with the one signature `litert.SIGNATURE`.
      output: the name of its output, the features.
      step: what is trained.
      batch_size: that a step takes.

    Raises:
      ConversionError: TFLite cannot express the step, or a check failed.
    """
    training = flatbuffer_utils.convert_bytearray_to_object(
        bytearray(training_model.convert(step, batch_size))
    )
    zeros.fill(training, personal_names.INITIAL)
    first = flatbuffer.read_model(base)
    merging.rename(first, litert.SIGNATURE, personal_names.BOTTLENECK, {output: features.FEATURES})
    whole = merging.merged([first, training])
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(whole))
    base_bytes = Path(base).stat().st_size
    worst = checks.check(whole, content, step, batch_size, base_bytes)
    return Built(content, worst, base_bytes)
