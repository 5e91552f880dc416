"""Which images the report shows, and what the models say of them."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from pipeline.report import figures

Logits = Mapping[str, np.ndarray]  # float32[N, classes] by model name


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one model says of one image; `logits` are of the card's classes."""

    model: str
    predicted: int
    probability: float
    logits: list[float]


@dataclasses.dataclass(frozen=True)
class Card:
    """One image of a gallery, with the label and every prediction as its `classes`."""

    picture: str
    label: int
    classes: list[int]
    answers: list[Answer]

    @property
    def opinions(self) -> dict[int, list[Answer]]:
        """The answers by the class that they name, in the order of the models."""
        found: dict[int, list[Answer]] = {}
        for answer in self.answers:
            found.setdefault(answer.predicted, []).append(answer)
        return found


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Returns the softmax of logits float32[N, classes]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def mistakes(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns int64[M], the rows that a model gets wrong, the surest mistake first.

    Args:
      logits: float32[N, classes].
      labels: int64[N].
    """
    rows = np.flatnonzero(logits.argmax(axis=1) != labels)
    confidence = probabilities(logits[rows]).max(axis=1)
    return rows[np.argsort(-confidence, kind="stable")]


def disagreements(logits: Logits, reference: str) -> np.ndarray:
    """Returns int64[D], the rows that a model classifies unlike the reference.

    Those on which most models do come first; among equals those on which the models that do are
    surest of their own answer against the reference's.
    """
    expected = logits[reference].argmax(axis=1)
    rows = np.arange(len(expected))
    differing = np.zeros(len(expected), int)
    margin = np.zeros(len(expected))
    for values in logits.values():
        differs = values.argmax(axis=1) != expected
        differing += differs
        margin = np.where(
            differs, np.maximum(margin, values.max(axis=1) - values[rows, expected]), margin
        )
    rows = np.flatnonzero(differing)
    return rows[np.lexsort((-margin[rows], -differing[rows]))]


def cards(
    rows: np.ndarray,
    images: Mapping[int, np.ndarray],
    image_shape: tuple[int, int, int],
    labels: np.ndarray,
    logits: Logits,
) -> list[Card]:
    """Returns a card for each of the rows int64[R].

    Args:
      rows: of the three below.
      images: float32[height * width * channels] in [0, 1] by row.
      image_shape: height, width and channels.
      labels: int64[N].
      logits: of every model, float32[N, classes].
    """
    found = []
    for row in rows:
        label = int(labels[row])
        predicted = {name: int(values[row].argmax()) for name, values in logits.items()}
        classes = sorted({label, *predicted.values()})
        answers = [
            Answer(
                name,
                predicted[name],
                float(probabilities(values[row : row + 1])[0, predicted[name]]),
                [float(values[row, shown]) for shown in classes],
            )
            for name, values in logits.items()
        ]
        picture = figures.picture(images[row], image_shape)
        found.append(Card(picture, label, classes, answers))
    return found
