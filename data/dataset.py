"""A data set that was found and checked, and how its examples are read and recognised again."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.forms.reader import Examples, Options, Reader
from data.forms.registry import open_splits
from data.splits import Split
from data.task import Task

# A range is read at once. To reach its start, one of a gzipped file has to be decompressed from the
# top, so ranges are few.
RANGE_SIZE = 10_000
_RANGE_BYTES = 1 << 25


@dataclass(frozen=True)
class Dataset:
    """A checked data set.

    Attributes:
        task: what the images are.
        location: the folder that holds all of its files.
        patterns: of the names of the files below `location`, for TRAIN and EVAL.
        form: one of `data.forms.registry.FORMS`.
        options: what is needed to open it again, see `data.forms.registry.open_splits`.
        class_counts: how many examples each class has, for TRAIN and EVAL.
        range_digests: what the ranges of TRAIN and EVAL held then, see `digest_of`.
        source: where the data came from, in a few words.
        notes: sentences about the data that a user should read.
        is_fallback: whether other data was wanted, and this stands in for it.
        image_size: height and width that were asked for; None for the images' own.
    """

    task: Task
    location: Path
    patterns: Mapping[Split, str]
    form: str
    options: Options
    class_counts: Mapping[Split, tuple[int, ...]]
    range_digests: Mapping[Split, tuple[str, ...]]
    source: str
    notes: tuple[str, ...] = ()
    is_fallback: bool = False
    image_size: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """In the names of folders and of the pipeline."""
        return self.task.name

    @property
    def train_examples(self) -> int:
        """How many there are."""
        return sum(self.class_counts[Split.TRAIN])

    @property
    def eval_examples(self) -> int:
        """How many there are."""
        return sum(self.class_counts[Split.EVAL])

    @property
    def digests(self) -> dict[Split, str]:
        """SHA-256 (hex) of what TRAIN and EVAL held: pixels and labels, whatever the form."""
        return {
            split: hashlib.sha256("".join(digests).encode()).hexdigest()
            for split, digests in self.range_digests.items()
        }

    @property
    def summary(self) -> str:
        """Where the data comes from and how much it is, in a line."""
        return (
            f"{self.source}: {self.train_examples:,} training and {self.eval_examples:,} test "
            f"images, {self.task.num_classes} classes"
        )

    def open(self) -> dict[Split, Reader]:
        """Returns the readers of TRAIN and EVAL; see `data.forms.registry.open_splits`."""
        return open_splits(self.location, self.form, self.options)

    def features(
        self, split: Split, start: int = 0, stop: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Reads examples [start, stop) of a split, by default all, as the pipeline's raw features.

        Returns:
            images float32[N, H*W*C], row-major, uint8 / 255 and so within [0, 1]; labels int64[N].

        Raises:
            DataError: they cannot be read.
        """
        reader = self.open()[split]
        images, labels = reader.read(start, len(reader) if stop is None else stop)
        return as_features(images), labels


def as_features(images: np.ndarray) -> np.ndarray:
    """Returns images uint8[N, H, W, C] as float32[N, H*W*C] within [0, 1], row-major."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def range_size(task: Task) -> int:
    """How many examples are read at once."""
    return max(1, min(RANGE_SIZE, _RANGE_BYTES // task.num_pixels))


def ranges(count: int, size: int) -> list[tuple[int, int]]:
    """Returns [start, stop) of the ranges of so many examples, the last one with fewer."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]


def digest_of(examples: Examples) -> str:
    """SHA-256 (hex) of images uint8[N, H, W, C] and labels int64[N]."""
    images, labels = examples
    digest = hashlib.sha256(repr(images.shape).encode())
    digest.update(np.ascontiguousarray(images))
    digest.update(labels.astype("<i8"))
    return digest.hexdigest()


def read_checked(reader: Reader, start: int, stop: int, digest: str, place: str) -> Examples:
    """Reads examples [start, stop) that must be those of a digest; `place` names them for errors.

    Raises:
        DataError: they are others, or cannot be read any more.
    """
    try:
        examples = reader.read(start, stop)
    except DataError as error:
        raise changed(place, error) from error
    if digest_of(examples) != digest:
        raise changed(place)
    return examples


def check_unchanged(
    splits: Mapping[Split, Reader], digests: Mapping[Split, Iterable[str]], size: int, place: str
) -> None:
    """Reads everything, and raises DataError when it is not what was checked."""
    for split, expected in digests.items():
        bounds = ranges(len(splits[split]), size)
        if len(bounds) != len(expected := tuple(expected)):
            raise changed(place)
        for (start, stop), digest in zip(bounds, expected, strict=True):
            read_checked(splits[split], start, stop, digest, place)


def changed(place: str, error: DataError | None = None) -> DataError:
    """Returns the error for data that is no longer what was checked."""
    return DataError(
        f"{place}: is no longer what was checked (changed, replaced or removed since"
        f"{f': {error}' if error else ''}); leave it alone while the pipeline runs, and run again"
    )
