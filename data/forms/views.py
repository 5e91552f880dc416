"""Readers of what another reader reads: with other labels, a part of it, at another size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from data.errors import DataError
from data.forms.reader import Examples, Label, Reader


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
        chosen, start, kept = self._chosen(), 0, self.reader.read(0, 0)
        for images, labels in self.reader.parts(size):
            part = chosen[start : start + len(labels)]
            start += len(labels)
            kept = tuple(map(np.concatenate, zip(kept, (images[part], labels[part]), strict=True)))
            while len(kept[1]) >= size:
                yield kept[0][:size], kept[1][:size]
                kept = kept[0][size:], kept[1][size:]
        if len(kept[1]):
            yield kept


@dataclass(frozen=True)
class Resized(_View):
    """Images are made `height` times `width`; between pixels, linearly."""

    height: int
    width: int

    @property
    def image_shape(self) -> tuple[int, int, int]:  # type: ignore[override]
        """See `Reader`."""
        return self.height, self.width, self.reader.image_shape[2]

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


def _few(values: tuple[Any, ...]) -> str:
    shown = ", ".join(map(str, values[:5]))
    return shown + (f" ... ({len(values)} in all)" if len(values) > 5 else "")
