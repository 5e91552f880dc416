"""How to train: every number of the training, in one place. Imports nothing but Python's own."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How to train.

    With the defaults, 60,000 MNIST images reach about 99% on the test images after ten epochs.

    Attributes:
      epochs: passes over the training part, at least 1.
      batch_size: images a step; the last, shorter batch of an epoch is left out.
      learning_rate: of momentum SGD, decayed to zero along a half cosine.
      momentum: of SGD.
      validation_share: share of the train split that is held out to watch the training, in (0, 1).
      num_classes: outputs of the network.
      seed: of the parameters, of the held-out part and of the order of the batches.
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 0.05
    momentum: float = 0.9
    validation_share: float = 0.05
    num_classes: int = 10
    seed: int = 0
