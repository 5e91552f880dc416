"""How to train: every number of the training, in one place. Needs nothing but Python's own."""

import dataclasses

from data.task import Augmentation, Task


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How to train.

    With the defaults, MNIST's 60,000 images give 99.5% on the test images and 98.7% on the hard
    ones, in about three minutes on two CPU cores (benchmarks/training_accuracy.py). The ranges and
    the learning rate were chosen on 10,000 training images that were held out.

    Attributes:
      epochs: passes over the training part, at least 1.
      batch_size: images in a step, over all devices; an incomplete batch is left out. With fewer
        images to train on, all of them are a batch.
      learning_rate: the peak, for SGD with Nesterov momentum. The rate rises to it linearly over
        the first `warmup` of all steps and then falls to zero along a half cosine.
      momentum: of SGD.
      warmup: share of the steps, in [0, 1); of few steps it is more, see `steps.warmup_steps`.
      weight_decay: this multiple of each kernel weight is added to its gradient.
      label_smoothing: share of the target that is spread evenly over all classes, in [0, 1).
      class_weights: images of rare classes count for more: each by the inverse of its class's
        frequency, one on average.
      early_stop: epochs without a better validation loss after which the training ends, with the
        variables of the best epoch; 0 for all epochs, and those of the last.
      max_rotation: in degrees, either way; drawn uniformly, as are the next two.
      max_shift: share of the height and of the width, along each axis and either way.
      max_scaling: share of the size, larger or smaller.
      flip: whether half of the images have left and right exchanged.
      validation_share: share of the train split that is held out to watch the training, in (0, 1).
      max_bytes: the most memory that images may take: in the host's memory, at one byte for each
        pixel (four if the pixels are not 256 grey levels), and on accelerators, at four bytes for
        each pixel. Beyond it, images are read from a file, or sent to the accelerator, for some
        fifty steps at a time. The result is the same.
      seed: of the parameters, of the held-out part, of the order of the batches and of the
        augmentation.
    """

    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    warmup: float = 0.1
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0
    class_weights: bool = False
    early_stop: int = 0
    max_rotation: float = Augmentation.max_rotation
    max_shift: float = Augmentation.max_shift
    max_scaling: float = Augmentation.max_scaling
    flip: bool = Augmentation.flip
    validation_share: float = 0.05
    max_bytes: int = 4 * 2**30
    seed: int = 0

    def augmented(self, task: Task) -> "TrainConfig":
        """Returns the config with the augmentation that suits a task's images."""
        return dataclasses.replace(self, **dataclasses.asdict(task.augmentation))
