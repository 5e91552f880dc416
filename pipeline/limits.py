"""What a model must reach to be pushed."""

import dataclasses
from collections.abc import Mapping

from modules.recipes import DYNAMIC_RANGE, FLOAT16, FLOAT32, INT8, INT8_IO


@dataclasses.dataclass(frozen=True)
class VariantLimits:
    """What a device model may lose. Accuracies are shares in [0, 1].

    One image is never held against a model: where a set or a class has so few that one is more
    than the limit, one is the limit.

    Attributes:
      max_accuracy_drop: against the SavedModel, on the test images.
      max_class_accuracy_drop: the same, for every single class.
      max_hard_accuracy_drop: the same, on the hard images.
      max_loss_increase: of the cross-entropy on the test images, in nats.
      min_agreement: share of the test images on which both must have the same argmax.
      max_size_ratio: of the file's bytes to the SavedModel's.
      max_latency_ratio: of the median time of one image to that of float32, which has none.
    """

    max_accuracy_drop: float
    max_class_accuracy_drop: float
    max_hard_accuracy_drop: float
    max_loss_increase: float
    min_agreement: float
    max_size_ratio: float
    max_latency_ratio: float | None


_INT8_LIMITS = VariantLimits(
    max_accuracy_drop=0.001,
    max_class_accuracy_drop=0.01,
    max_hard_accuracy_drop=0.01,
    max_loss_increase=0.01,
    min_agreement=0.995,
    max_size_ratio=0.3,
    max_latency_ratio=1.0,
)
_VARIANT_LIMITS = {
    FLOAT32.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.0005,
        max_loss_increase=0.0005,
        min_agreement=0.999,
        max_size_ratio=1.05,
        max_latency_ratio=None,
    ),
    FLOAT16.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.002,
        max_loss_increase=0.001,
        min_agreement=0.998,
        max_size_ratio=0.55,
        max_latency_ratio=1.5,
    ),
    DYNAMIC_RANGE.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.002,
        max_loss_increase=0.005,
        min_agreement=0.998,
        max_size_ratio=0.3,
        max_latency_ratio=1.0,
    ),
    INT8.name: _INT8_LIMITS,
    INT8_IO.name: _INT8_LIMITS,
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a model must reach to be pushed. Accuracies are shares in [0, 1].

    Attributes:
      min_accuracy: of every model on the test images.
      max_drop_from_last: accuracy that may be lost against the last blessed model.
      variants: what each device model may lose, by the name of its recipe.
    """

    min_accuracy: float = 0.97
    max_drop_from_last: float = 0.005
    variants: Mapping[str, VariantLimits] = dataclasses.field(
        default_factory=lambda: dict(_VARIANT_LIMITS)
    )
