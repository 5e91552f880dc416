"""What every form of data is read through, and what a form says when it finds itself."""

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from data.splits import Split

Label = int | str
Options = dict[str, Any]  # what JSON can hold
Examples = tuple[np.ndarray, np.ndarray]  # images uint8[N, H, W, C], labels[N]


class Reader(abc.ABC):
    """One split of a data set: a frozen dataclass that another process can be sent.

    Attributes:
        image_shape: height, width and channels of every image.
        reads_anywhere: whether `take` costs no more than the examples that it returns.
    """

    image_shape: tuple[int, int, int]
    reads_anywhere: ClassVar[bool] = False

    @abc.abstractmethod
    def __len__(self) -> int:
        """How many examples there are."""

    @abc.abstractmethod
    def labels(self) -> np.ndarray:
        """All labels, int64[N] or str[N], without the images where that is cheaper."""

    @abc.abstractmethod
    def read(self, start: int, stop: int) -> Examples:
        """Reads examples [start, stop), holding little more than those in memory.

        Raises:
            DataError: the data is not there, is damaged, or has fewer examples.
        """

    def take(self, indices: np.ndarray) -> Examples:
        """Reads the examples of these indices, of which there is one at least; they increase."""
        first = int(indices[0])
        images, labels = self.read(first, int(indices[-1]) + 1)
        return images[indices - first], labels[indices - first]

    def parts(self, size: int) -> Iterator[Examples]:
        """Reads everything once, `size` examples at a time, and checks it to its very end.

        Raises:
            DataError: as `read`; or there is more than there should be.
        """
        for start in range(0, len(self), size):
            yield self.read(start, min(start + size, len(self)))


@dataclass(frozen=True)
class Found:
    """A data set in one of the forms.

    Attributes:
        location: the folder that all of its files are below.
        patterns: of the names of each split's files below it; without EVAL, there is no test set.
        options: what the form's `open_raw` needs beside the location.
        names: of labels, where the files tell them.
        notes: sentences about what was left out, or taken for something.
    """

    location: Path
    patterns: Mapping[Split, str]
    options: Options
    names: Mapping[Label, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
