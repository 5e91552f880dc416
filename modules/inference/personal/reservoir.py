"""A fair sample of a user's images, as many of each class at most."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Samples:
    """Images as the head sees them.

    Attributes:
      features: float32[N, size].
      labels: int32[N], the numbers of outputs.
    """

    features: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        """Returns N."""
        return len(self.labels)


class Reservoir:
    """Of each class at most `per_class` samples, each of those seen with the same chance.

    That is Vitter's algorithm R (Random Sampling with a Reservoir, ACM TOMS 11(1), 1985), class by
    class. What it draws depends on nothing but the seed, the class and how many it has seen of it,
    so that a reservoir that was saved and loaded goes on as it would have.
    """

    def __init__(self, size: int, num_classes: int, per_class: int = 50, seed: int = 0):
        """Makes an empty one for samples of `size` features."""
        self._size, self._per_class, self._seed = size, per_class, seed
        self._slots: list[list[np.ndarray]] = [[] for _ in range(num_classes)]
        self._seen = [0] * num_classes

    @property
    def seen(self) -> np.ndarray:
        """How many samples of each class were added, int32[num_classes]."""
        return np.array(self._seen, np.int32)

    def add(self, features: np.ndarray, label: int) -> None:
        """Adds a sample, in place of another one or not at all where its class is full.

        Args:
          features: float32[size].
          label: from 0 to num_classes - 1.
        """
        slots = self._slots[label]
        self._seen[label] += 1
        if len(slots) < self._per_class:
            slots.append(features)
            return
        seen = self._seen[label]
        place = int(np.random.default_rng([self._seed, label, seen]).integers(seen))
        if place < self._per_class:
            slots[place] = features

    def samples(self) -> Samples:
        """Returns what it holds, class by class."""
        held = [features for slots in self._slots for features in slots]
        counts = [len(slots) for slots in self._slots]
        return Samples(
            np.array(held, np.float32).reshape(-1, self._size),
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        )

    def restore(self, samples: Samples, seen: np.ndarray) -> None:
        """Takes the place of what it holds; of a class that it has no room for, the first stay.

        Args:
          samples: as `samples` returned them.
          seen: int32[num_classes], of each class at least as many as there are.
        """
        self._seen = [int(count) for count in seen]
        self._slots = [
            list(samples.features[samples.labels == label][: self._per_class])
            for label in range(len(self._slots))
        ]
