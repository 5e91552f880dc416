"""The labels of a split, of which only counts are kept."""

from pathlib import Path

import numpy as np

from data.errors import DataError

_VALUES = 256


class LabelCounts:
    """How often each label occurs, and where first, as the values of a file come by."""

    def __init__(self) -> None:
        self._counts = np.zeros(_VALUES, np.int64)
        self._first = np.zeros(_VALUES, np.int64)

    @property
    def largest(self) -> int:
        """The largest label that occurs."""
        return int(np.flatnonzero(self._counts)[-1])

    def add(self, values: bytes) -> None:
        """Counts the next labels, uint8."""
        labels, first, counts = np.unique(
            np.frombuffer(values, np.uint8), return_index=True, return_counts=True
        )
        is_new = self._counts[labels] == 0
        self._first[labels[is_new]] = self._counts.sum() + first[is_new]
        self._counts[labels] += counts

    def check(self, path: Path, num_classes: int) -> None:
        """Raises DataError when there are labels of `num_classes` or more."""
        wrong = num_classes + np.flatnonzero(self._counts[num_classes:])
        if wrong.size:
            label = wrong[self._first[wrong].argmin()]
            raise DataError(
                f"{path}: label {label} at index {self._first[label]} is out of range, expected 0 "
                f"to {num_classes - 1}; correct the labels ({self._counts[wrong].sum()} in all are "
                "too large)"
            )
