"""Rows of a CSV file of labels and pixels: their places are found once, then they are read."""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.errors import DataError, shown
from data.forms.decompressed import opened
from data.forms.reader import Examples, Reader
from data.forms.views import out_of_range

_EVERY = 1000  # rows from one remembered place to the next
_LONGEST_ROW = 1 << 20  # bytes; 224x224x3 pixels take less
_NUMBER = re.compile(r"[-+]?\d{1,18}(\.0*)?", re.ASCII)
_GREY_LEVELS = 255


@dataclass(frozen=True)
class CsvReader(Reader):
    """A split in a CSV file.

    Attributes:
        label_column: index of the column with labels.
        named: whether labels are names rather than numbers.
        count: of the rows, without the one that names the columns.
        marks: where rows 0, 1,000, 2,000, ... begin, in decompressed bytes.
    """

    path: Path
    label_column: int
    image_shape: tuple[int, int, int]
    named: bool
    count: int
    marks: tuple[int, ...]

    def __len__(self) -> int:
        """See `Reader`."""
        return self.count

    def labels(self) -> np.ndarray:
        """All labels, int64[N] or str[N]."""
        return self._labels([self._split(line)[0] for line in self._lines(0, self.count)])

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`."""
        if not 0 <= start <= stop <= self.count:
            raise out_of_range(start, stop, self.count)
        rows = [self._split(line) for line in self._lines(start, stop)]
        if len(rows) < stop - start:
            raise DataError(f"{self.path}: ends after {start + len(rows)} of {self.count} rows")
        pixels = self._pixels([rest for _, rest in rows], start)
        return pixels, self._labels([label for label, _ in rows])

    def _lines(self, start: int, stop: int) -> Iterator[str]:
        if start >= stop:
            return
        mark = start // _EVERY
        with opened(self.path) as file:
            file.stream.seek(self.marks[mark])
            lines = (line for _, line in rows_from(file.stream, self.path))
            yield from itertools.islice(lines, start - mark * _EVERY, stop - mark * _EVERY)

    def _split(self, line: str) -> tuple[str, str]:
        if self.label_column == 0:
            label, _, rest = line.partition(",")
        else:
            fields = line.split(",")
            if len(fields) <= self.label_column:
                raise DataError(
                    f"{self.path}: a row has {len(fields)} columns, fewer than the first"
                )
            label = fields.pop(self.label_column)
            rest = ",".join(fields)
        return label.strip(), rest

    def _labels(self, texts: list[str]) -> np.ndarray:
        if self.named:
            return np.array(texts, dtype=str)
        for text in texts:
            if not _NUMBER.fullmatch(text):
                raise DataError(
                    f"{self.path}: there is a label {shown(text)!r} among numbers, expected whole "
                    "numbers, or names that are none"
                )
        return np.array([int(text.partition(".")[0]) for text in texts], np.int64)

    def _pixels(self, rows: list[str], first: int) -> np.ndarray:
        wanted = math.prod(self.image_shape)
        if not rows:
            return np.empty((0, *self.image_shape), np.uint8)
        try:
            pixels = np.loadtxt(rows, np.int64, delimiter=",", comments=None, ndmin=2)
        except ValueError:
            pixels = None
        if pixels is None or pixels.shape[1] != wanted or not _in_range(pixels):
            raise self._wrong_row(rows, first, wanted)
        return pixels.astype(np.uint8).reshape(-1, *self.image_shape)

    def _wrong_row(self, rows: list[str], first: int, wanted: int) -> DataError:
        for number, row in enumerate(rows, first + 1):
            fields = [field.strip() for field in row.split(",")]
            if len(fields) != wanted:
                return DataError(
                    f"{self.path}: row {number} holds {len(fields)} pixels, expected {wanted} as "
                    "in the first; the file is damaged, fetch or save it again"
                )
            for field in fields:
                if not re.fullmatch(r"\d{1,3}", field, re.ASCII) or int(field) > _GREY_LEVELS:
                    return DataError(
                        f"{self.path}: row {number} holds {shown(field)!r}, expected pixels as "
                        "whole numbers from 0 to 255; convert them to such"
                    )
        return DataError(f"{self.path}: rows cannot be read as numbers")


def scanned(
    path: Path, has_header: bool, label_column: int, image_shape: tuple[int, int, int]
) -> CsvReader:
    """Returns the reader of a file, whose rows are looked for in all of it.

    Raises:
        DataError: the file cannot be read, or a row is longer than any images.
    """
    marks, count = [], 0
    reader = CsvReader(path, label_column, image_shape, False, 0, ())
    named = True
    with opened(path) as file:
        for offset, line in itertools.islice(rows_from(file.stream, path), has_header, None):
            if count % _EVERY == 0:
                marks.append(offset)
            if named:  # until there is a number
                named = not _NUMBER.fullmatch(reader._split(line)[0])
            count += 1
    return CsvReader(path, label_column, image_shape, named and count > 0, count, tuple(marks))


def rows_from(stream: BinaryIO, path: Path) -> Iterator[tuple[int, str]]:
    """Yields where each line that is not empty begins, and the line.

    Raises:
        DataError: a line is longer than any images, or is no text.
    """
    while True:
        offset = stream.tell()
        line = stream.readline(_LONGEST_ROW + 1)
        if not line:
            return
        if len(line) > _LONGEST_ROW:
            raise DataError(
                f"{path}: a row is longer than {_LONGEST_ROW} bytes; expected one image in each"
            )
        try:
            text = line.decode("utf-8-sig" if offset == 0 else "utf-8").replace('"', "").strip()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: is no text in UTF-8 ({error}); expected a CSV file"
            ) from error
        if text:
            yield offset, text


def _in_range(pixels: np.ndarray) -> bool:
    return bool(pixels.min(initial=0) >= 0 and pixels.max(initial=0) <= _GREY_LEVELS)
