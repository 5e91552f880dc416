"""What a model says of images, and how a row of logits becomes that."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model says of one image.

    Attributes:
      label: its class, 0 for the first label.
      probability: of that class, in [0, 1].
      microseconds: that one image took.
    """

    label: int
    probability: float
    microseconds: float


@dataclasses.dataclass(frozen=True)
class Answers:
    """What one model says of all images, in their order."""

    model: str
    of_images: tuple[Answer, ...]


def answer_of(logits: np.ndarray, microseconds: float) -> Answer:
    """Returns the answer that logits float32[classes] give, by their softmax."""
    exponents = np.exp(logits.astype(np.float64) - logits.max())
    probabilities = exponents / exponents.sum()
    label = int(logits.argmax())
    return Answer(label, float(probabilities[label]), microseconds)


def disagrees(models: tuple[Answers, ...], image: int) -> bool:
    """Returns whether the models say different things of an image."""
    return len({model.of_images[image].label for model in models}) > 1
