"""CIFAR's binary files: records of one label byte, or two, and 32x32 pixels by channels.

Source: "Binary version" at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError, disk_errors
from data.forms.decompressed import opened
from data.forms.reader import Examples, Found, Label, Options, Reader
from data.forms.views import out_of_range
from data.splits import Split

_PIXELS = 3 * 32 * 32
_MAX_NAMES_BYTES = 1 << 16
NAMES_FILES = ("batches.meta.txt", "fine_label_names.txt")
_PICKLES = ("data_batch_1", "test_batch", "batches.meta")
_BATCH = re.compile(r"data_batch_\d+\.bin")


def find(folder: Path) -> Found | None:
    """Returns the data set of CIFAR-10's or CIFAR-100's files right in `folder`, or None.

    Raises:
        DataError: files are missing, or are those of the version for Python.
    """
    with disk_errors("look into", folder):
        names = {path.name for path in folder.iterdir()}
    batches = sorted(filter(_BATCH.fullmatch, names))
    if batches:
        train, test, label_bytes, names_file = batches, "test_batch.bin", 1, NAMES_FILES[0]
    elif "train.bin" in names:
        train, test, label_bytes, names_file = ["train.bin"], "test.bin", 2, NAMES_FILES[1]
    elif names.issuperset(_PICKLES):
        raise DataError(
            f"{folder}: holds CIFAR's version for Python, whose pickles could run any program; "
            "expected its binary version (data_batch_1.bin, test_batch.bin), so take that one"
        )
    else:
        return None
    if test not in names:
        raise DataError(f"{folder}: {test} missing beside {train[0]}; expected both, from CIFAR")
    return Found(
        folder,
        {Split.TRAIN: "data_batch_*.bin" if batches else "train.bin", Split.EVAL: test},
        {"files": {Split.TRAIN: train, Split.EVAL: [test]}, "label_bytes": label_bytes},
        _names(folder / names_file) if names_file in names else {},
    )


def open_raw(location: Path, options: Options) -> dict[Split, Reader]:
    """Returns the splits of what `find` found.

    Raises:
        DataError: a file is not of whole records.
    """
    return {
        Split(split): _open([location / name for name in names], options["label_bytes"])
        for split, names in options["files"].items()
    }


def _names(path: Path) -> dict[Label, str]:
    with opened(path) as file:
        lines = file.stream.read(_MAX_NAMES_BYTES).decode("utf-8", "replace").splitlines()
    return dict(enumerate(line.strip() for line in lines if line.strip()))


def _open(paths: list[Path], label_bytes: int) -> "CifarReader":
    record, counts = label_bytes + _PIXELS, []
    for path in paths:
        with opened(path) as file:
            count, left = divmod(file.size, record)
            if left or file.compressed:
                raise DataError(
                    f"{path}: holds {file.size} bytes, expected whole records of {record} (labels "
                    f"{label_bytes}, pixels {_PIXELS}), unpacked; the file is incomplete or is "
                    "none of CIFAR's, fetch it again"
                )
        counts.append(count)
    return CifarReader(tuple(paths), tuple(counts), label_bytes)


@dataclass(frozen=True)
class CifarReader(Reader):
    """A split in one file or several, one after the other; the last label byte counts."""

    paths: tuple[Path, ...]
    counts: tuple[int, ...]
    label_bytes: int
    image_shape = (32, 32, 3)

    def __len__(self) -> int:
        """See `Reader`."""
        return sum(self.counts)

    def labels(self) -> np.ndarray:
        """All labels, int64[N]."""
        return np.concatenate([labels for _, labels in self.parts(10_000)] or [np.zeros(0, int)])

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`."""
        if not 0 <= start <= stop <= len(self):
            raise out_of_range(start, stop, len(self))
        size, read = self.label_bytes + _PIXELS, bytearray()
        ends = itertools.accumulate(self.counts)
        for path, count, end in zip(self.paths, self.counts, ends, strict=True):
            first, last = max(start, end - count), min(stop, end)
            if first < last:
                with opened(path) as file:
                    file.stream.seek((first - end + count) * size)
                    read += file.stream.read((last - first) * size)
        if len(read) != (stop - start) * size:
            raise DataError(f"{self.paths[0].parent}: files ended early; fetch them again")
        records = np.frombuffer(read, np.uint8).reshape(-1, size)
        pixels = records[:, self.label_bytes :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        labels = records[:, self.label_bytes - 1].astype(np.int64)
        return np.ascontiguousarray(pixels), labels
