"""Batches of a training: the user's samples, and those of the package against forgetting."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from modules.inference.personal.reservoir import Samples


@dataclasses.dataclass(frozen=True)
class Batch:
    """What a training step takes.

    Attributes:
      features: float32[B, size].
      labels: float32[B, classes], one-hot times the weight of the row.
      size: how many of the user's samples there are, each once.
    """

    features: np.ndarray
    labels: np.ndarray
    size: int


@dataclasses.dataclass(frozen=True)
class Mixture:
    """How batches are made.

    Attributes:
      own: rows of a batch that are the user's samples.
      replayed: rows that are the package's, as many of each class.
      num_classes: outputs.
    """

    own: int
    replayed: int
    num_classes: int

    def epoch(
        self, samples: Samples, replay: Samples | None, random: np.random.Generator
    ) -> Iterator[Batch]:
        """Yields batches that have each of the user's samples once, in random order.

        Where a batch has fewer than `own` of them, they are repeated, and each row has weight 1 /
        (number of its copies). Rows of zeros with weight 0 would do for most heads, but one that
        divides by the norm of a row makes NaN of them, which no weight of 0 takes away. The rows
        of the package's then weigh less, too, so that their share is the same in all batches.

        Args:
          samples: the user's, at least one.
          replay: the package's; None where `replayed` is 0.
          random: what is drawn from.
        """
        order = random.permutation(len(samples))
        starts = range(0, len(order), self.own)
        if replay is not None:
            drawn = _balanced(replay.labels, len(starts) * self.replayed, random)
        for number, start in enumerate(starts):
            chosen = order[start : start + self.own]
            rows = np.resize(chosen, self.own)
            weights = 1 / np.bincount(rows)[rows]
            features, labels = samples.features[rows], samples.labels[rows]
            if replay is not None:
                places = drawn[number * self.replayed :][: self.replayed]
                features = np.concatenate([features, replay.features[places]])
                labels = np.concatenate([labels, replay.labels[places]])
                weights = np.append(weights, np.full(self.replayed, len(chosen) / self.own))
            one_hot = np.eye(self.num_classes, dtype=np.float32)[labels]
            weighted = one_hot * weights[:, np.newaxis].astype(np.float32)
            yield Batch(features, weighted, len(chosen))


def _balanced(labels: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Returns `count` places in `labels`, of each class as many as of the others, or one more."""
    places = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    rounds = [random.permutation(len(places)) for _ in range(-(-count // len(places)))]
    return np.array([random.choice(places[each]) for each in np.concatenate(rounds)[:count]])
