"""What a model must reach to be pushed.

Differences of logits are in units of the spread (standard deviation) of the SavedModel's logits,
so that the limits hold for networks that are sure and for others. Sound models of the default
network stayed at a third of these limits or below; the worst of the digits after 3 and 10 epochs
and of MNIST after 2, as `comparison.json` has them:

                 scale error   class shift   root mean square   largest
  float32        0.0000        0.0000        0.0000             0.0000
  float16        0.0004        0.0004        0.0005             0.0014
  dynamic_range  0.0008        0.0053        0.0040             0.020
  int8, int8_io  0.0051        0.0057        0.014              0.62 (one image, cut off)

How far the answers of other runtimes are from XNNPACK's is in docs/parity.md.
"""

import dataclasses
import json
from collections.abc import Mapping

from modules.export.recipes import DYNAMIC_RANGE, FLOAT16, FLOAT32, INT8, INT8_IO


@dataclasses.dataclass(frozen=True)
class VariantLimits:
    """What a device model may lose. Accuracies are shares in [0, 1].

    What is beyond a limit on accuracies, on the loss or on the agreement is held against a model
    only where chance does not explain it; see `Limits`.

    Attributes:
      max_accuracy_drop: against the SavedModel, on the test images.
      max_class_accuracy_drop: the same, for every single class.
      max_hard_accuracy_drop: the same, on the hard images.
      max_loss_difference: of the cross-entropy on the test images, in nats, up or down.
      min_agreement: share of the test images on which both must have the same argmax, or one that
        the SavedModel has so close to it that the recipe takes them for equal (`Recipe.tie`).
      max_logit_scale_error: by how much the slope of the logits over the SavedModel's, by least
        squares, may be off 1: a steeper model is surer than it was trained to be.
      max_class_logit_shift: of the mean over the test images, of the class where it is largest.
      max_rms_logit_difference: root of the mean of the squares over all test images and classes.
      max_logit_difference: the largest of all.
      max_runtime_logit_difference: the largest between XNNPACK and another runtime on the same
        file, in units of the spread of XNNPACK's logits.
      max_size_ratio: of the file's bytes to the SavedModel's; a network of many operators and few
        weights may need more (`tflite_checks.most_bytes`).
    """

    max_accuracy_drop: float
    max_class_accuracy_drop: float
    max_hard_accuracy_drop: float
    max_loss_difference: float
    min_agreement: float
    max_logit_scale_error: float
    max_class_logit_shift: float
    max_rms_logit_difference: float
    max_logit_difference: float
    max_runtime_logit_difference: float
    max_size_ratio: float


_INT8_LIMITS = VariantLimits(
    max_accuracy_drop=0.001,
    max_class_accuracy_drop=0.01,
    max_hard_accuracy_drop=0.01,
    max_loss_difference=0.01,
    min_agreement=0.995,
    max_logit_scale_error=0.03,
    max_class_logit_shift=0.03,
    max_rms_logit_difference=0.05,
    max_logit_difference=2.0,
    max_runtime_logit_difference=0.5,
    max_size_ratio=0.3,
)
_VARIANT_LIMITS = {
    FLOAT32.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.0005,
        max_loss_difference=0.0005,
        min_agreement=0.999,
        max_logit_scale_error=0.0001,
        max_class_logit_shift=0.0001,
        max_rms_logit_difference=0.0001,
        max_logit_difference=0.001,
        max_runtime_logit_difference=0.0005,
        max_size_ratio=1.05,
    ),
    FLOAT16.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.002,
        max_loss_difference=0.001,
        min_agreement=0.998,
        max_logit_scale_error=0.005,
        max_class_logit_shift=0.005,
        max_rms_logit_difference=0.005,
        max_logit_difference=0.02,
        max_runtime_logit_difference=0.001,
        max_size_ratio=0.55,
    ),
    DYNAMIC_RANGE.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.002,
        max_loss_difference=0.005,
        min_agreement=0.998,
        max_logit_scale_error=0.02,
        max_class_logit_shift=0.02,
        max_rms_logit_difference=0.03,
        max_logit_difference=0.2,
        max_runtime_logit_difference=0.2,
        max_size_ratio=0.3,
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
      max_alone_difference: largest difference of a model's logits between an image by itself and
        the same among others, for the SavedModel also between its signatures.
      max_evaluation_difference: between the losses on the test images, in nats, that the Evaluator
        measured and that follow from the logits; in proportion more for losses above 1.
      max_latency_us: of every device model's median time for one image; None for no limit, since
        machines differ and are busy.
      confidence: with which a device model must be told to differ from the SavedModel on the same
        images before what is beyond a limit is held against it. 0.95 takes at least five images
        that only the SavedModel gets right.
      excused_images: where a limit on a share is worth fewer images than these of a set, as many
        may be beyond it if chance explains them. On 10,000 images each limit is worth more.
      min_runtime_agreement: share of the images on which every runtime must name XNNPACK's class,
        or one that is as close to it as `min_agreement` of a recipe allows.
      max_runtime_accuracy_drop: that a runtime may lose against XNNPACK on the same file and
        images.
      advisory_runtimes: what is run and told, but decides nothing. No device has LiteRT's reference
        kernels, and their sum of integers is wrong; see docs/parity.md.
      max_undecided_checks: of every model, checks that are beyond their limits by what chance may
        have done; None for no limit, 0 to push only what is known to be within its limits.
      variants: what each device model may lose, by the name of its recipe.
    """

    min_accuracy: float = 0.97
    max_drop_from_last: float = 0.005
    max_alone_difference: float = 0.01
    max_evaluation_difference: float = 0.001
    max_latency_us: float | None = None
    confidence: float = 0.95
    excused_images: int = 4
    min_runtime_agreement: float = 0.999
    max_runtime_accuracy_drop: float = 0.001
    advisory_runtimes: tuple[str, ...] = ("reference",)
    max_undecided_checks: int | None = None
    variants: Mapping[str, VariantLimits] = dataclasses.field(
        default_factory=lambda: dict(_VARIANT_LIMITS)
    )


def limits_from_json(text: str) -> Limits:
    """Returns the limits that `dataclasses.asdict` and JSON made a text of."""
    fields = json.loads(text)
    variants = {name: VariantLimits(**values) for name, values in fields.pop("variants").items()}
    advisory = tuple(fields.pop("advisory_runtimes"))
    return Limits(**fields, variants=variants, advisory_runtimes=advisory)
