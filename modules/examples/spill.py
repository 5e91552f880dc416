"""Sorts records by their bytes: in memory or, if there are too many, in a file."""

import heapq
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

_RECORDS_READ = 1024  # of a sorted run, at a time


class InFile:
    """Records in a file, of which only those that are asked for come into memory.

    A memory map would do the same, but all that was ever read of it counts as the process's memory.
    """

    def __init__(self, file: BinaryIO, dtype: np.dtype, count: int) -> None:
        """Takes an open file that holds `count` records and nothing else; it may be closed then."""
        self._file, self._dtype, self._count = os.dup(file.fileno()), dtype, count
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        """Returns how many records there are."""
        return self._count

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Returns the records of a slice without a step, or of int[B]."""
        file, size = self._file, self._dtype.itemsize
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self._count)
            parts = [_read(file, max(0, stop - start) * size, start * size)]
        else:
            parts = [_read(file, size, row * size) for row in rows.tolist()]
        return np.frombuffer(b"".join(parts), self._dtype)


def sort_records(parts: Iterable[np.ndarray], max_bytes: float) -> np.ndarray | InFile:
    """Joins records and sorts them, as bytes.

    Args:
      parts: records [B] of one dtype; at least one.
      max_bytes: what may be kept in memory. If there is more, sorted runs of that size go to a
        temporary file (the variable TMPDIR chooses the folder) and are merged into another one;
        both are removed with the result.

    Returns:
      Records [N].
    """
    runs: list[InFile] = []
    kept: np.ndarray | None = None
    for part in parts:
        if kept is not None and kept.nbytes + part.nbytes > max_bytes:
            runs.append(_write([_sorted(kept)], kept.dtype))
            kept = None
        if kept is None:
            kept = part.copy()
        else:  # in place, where a list and `concatenate` would take the memory twice
            kept.resize(len(kept) + len(part), refcheck=False)
            kept[-len(part) :] = part
    if not runs:
        return _sorted(kept)
    dtype = kept.dtype
    runs.append(_write([_sorted(kept)], dtype))
    del kept
    return _write(heapq.merge(*map(_records, runs)), dtype)


def _sorted(records: np.ndarray) -> np.ndarray:
    """Sorts records by their bytes, in place."""
    records.view(f"V{records.itemsize}").sort()
    return records


def _write(parts: Iterable[np.ndarray | bytes], dtype: np.dtype) -> InFile:
    """Writes records to a file without a name."""
    with tempfile.TemporaryFile() as file:
        size = sum(file.write(part) for part in parts)
        return InFile(file, dtype, size // dtype.itemsize)


def _records(run: InFile) -> Iterator[bytes]:
    for start in range(0, len(run), _RECORDS_READ):
        records = run[start : start + _RECORDS_READ]
        yield from records.view(f"V{records.itemsize}").tolist()


def _read(file: int, size: int, offset: int) -> bytes:
    """Returns so many bytes of a file; one call reads at most 2 GiB of it."""
    parts = []
    while size:
        part = os.pread(file, size, offset)
        if not part:
            raise EOFError(f"the file of the examples ends {size} bytes too early")
        parts.append(part)
        size, offset = size - len(part), offset + len(part)
    return b"".join(parts)
