"""Readers of what another reader reads: with other labels, a part of it, at another size."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from data.errors import DataError
from data.forms.reader import Examples, Label, Reader

_BYTES_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class _View(Reader):
    reader: Reader

    @property
    def image_shape(self) -> tuple[int, int, int]:  # type: ignore[override]
        return self.reader.image_shape

    @property
    def reads_anywhere(self) -> bool:  # type: ignore[override]
        return self.reader.reads_anywhere

    def __len__(self) -> int:
        return len(self.reader)

    def labels(self) -> np.ndarray:
        return self.reader.labels()

    def _changed(self, examples: Examples) -> Examples:
        return examples

    def read(self, start: int, stop: int) -> Examples:
        return self._changed(self.reader.read(start, stop))

    def take(self, indices: np.ndarray) -> Examples:
        return self._changed(self.reader.take(indices))

    def parts(self, size: int) -> Iterator[Examples]:
        return map(self._changed, self.reader.parts(size))


@dataclass(frozen=True)
class Numbered(_View):
    """Labels are int64, 0 for the first of `values`, 1 for the second and so on."""

    values: tuple[Label, ...]

    def labels(self) -> np.ndarray:
        """All labels, int64[N]."""
        return self._numbers(self.reader.labels())

    def _changed(self, examples: Examples) -> Examples:
        images, labels = examples
        return images, self._numbers(labels)

    def _numbers(self, labels: np.ndarray) -> np.ndarray:
        numbers = {value: number for number, value in enumerate(self.values)}
        found, places = np.unique(labels, return_inverse=True)
        unknown = [value for value in found.tolist() if value not in numbers]
        if unknown:
            raise DataError(f"there is a label {unknown[0]!r}, expected one of {_few(self.values)}")
        return np.array([numbers[value] for value in found.tolist()], np.int64)[places]


@dataclass(frozen=True)
class Selected(_View):
    """The examples that `bits` chooses, one bit for each; see `numpy.packbits`."""

    bits: bytes

    @classmethod
    def of(cls, reader: Reader, chosen: np.ndarray) -> "Selected":
        """Returns the examples for which `chosen`, bool[N], is true."""
        return cls(reader, np.packbits(chosen).tobytes())

    def _chosen(self) -> np.ndarray:
        bits = np.frombuffer(self.bits, np.uint8)
        return np.unpackbits(bits, count=len(self.reader)).astype(bool)

    def __len__(self) -> int:
        return int(self._chosen().sum())

    def labels(self) -> np.ndarray:
        """Those of the chosen examples."""
        return self.reader.labels()[self._chosen()]

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`."""
        if not 0 <= start <= stop <= len(self):
            raise out_of_range(start, stop, len(self))
        return self.take(np.arange(start, stop))

    def take(self, indices: np.ndarray) -> Examples:
        """See `Reader.take`."""
        if not len(indices):
            return self.reader.read(0, 0)
        return self.reader.take(np.flatnonzero(self._chosen())[indices])

    def parts(self, size: int) -> Iterator[Examples]:
        """See `Reader.parts`."""
        if self.reads_anywhere:
            yield from Reader.parts(self, size)
            return
        yield from _regrouped(self._chosen_parts(size), size)

    def _chosen_parts(self, size: int) -> Iterator[Examples]:
        chosen, start = self._chosen(), 0
        for images, labels in self.reader.parts(size):
            part = chosen[start : start + len(labels)]
            start += len(labels)
            yield images[part], labels[part]


@dataclass(frozen=True)
class Resized(_View):
    """Images are made `height` times `width`; between pixels, linearly."""

    height: int
    width: int

    @property
    def image_shape(self) -> tuple[int, int, int]:  # type: ignore[override]
        """See `Reader`."""
        return self.height, self.width, self.reader.image_shape[2]

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`; no more of the large images is in memory than can be."""
        return self.take(np.arange(start, stop)) if start < stop else super().read(start, stop)

    def take(self, indices: np.ndarray) -> Examples:
        """See `Reader.take`."""
        some = self._at_once
        starts = range(0, len(indices), some)
        return _joined([super(Resized, self).take(indices[at : at + some]) for at in starts])

    def parts(self, size: int) -> Iterator[Examples]:
        """See `Reader.parts`."""
        return _regrouped(super().parts(min(size, self._at_once)), size)

    @property
    def _at_once(self) -> int:
        return max(1, _BYTES_AT_ONCE // math.prod(self.reader.image_shape))

    def _changed(self, examples: Examples) -> Examples:
        images, labels = examples
        resized = np.empty((len(images), *self.image_shape), np.uint8)
        for image, made in zip(images, resized, strict=True):
            grey_or_rgb = image[..., 0] if image.shape[2] == 1 else image
            picture = Image.fromarray(grey_or_rgb).resize(
                (self.width, self.height), Image.Resampling.BILINEAR
            )
            made[:] = np.asarray(picture).reshape(self.image_shape)
        return resized, labels


def out_of_range(start: int, stop: int, count: int) -> DataError:
    """Returns the error for examples that there are not."""
    return DataError(f"examples [{start}, {stop}) were asked for, but there are {count}")


def _joined(parts: list[Examples]) -> Examples:
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _regrouped(parts: Iterable[Examples], size: int) -> Iterator[Examples]:
    """Yields the same examples, `size` at a time."""
    held: list[Examples] = []
    for part in parts:
        held.append(part)
        while sum(len(labels) for _, labels in held) >= size:
            images, labels = _joined(held)
            yield images[:size], labels[:size]
            held = [(images[size:], labels[size:])]
    if sum(len(labels) for _, labels in held):
        yield _joined(held)


def _few(values: tuple[Any, ...]) -> str:
    shown = ", ".join(map(str, values[:5]))
    return shown + (f" ... ({len(values)} in all)" if len(values) > 5 else "")
