"""Reading, checking and writing IDX files, plain or gzip.

The format (big-endian): two zero bytes, a dtype code, the number of dimensions, one uint32 for
each dimension, then the values in row-major order. Source: "The IDX file format" at
http://yann.lecun.com/exdb/mnist/.
"""

import math
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.errors import DataError, disk_errors
from data.files import written_whole
from data.forms.decompressed import Opened, opened

_DTYPES = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_FLOATS = {0x0D: "float32", 0x0E: "float64"}
_CHUNK = 1 << 20


@dataclass(frozen=True)
class IdxHeader:
    """What an IDX file says about itself: dtype, big-endian, and shape, items first."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def start(self) -> int:
        """Offset of the first value, in decompressed bytes."""
        return 4 + 4 * len(self.shape)

    @property
    def packed(self) -> bytes:
        """The header as it stands in the file."""
        code, dimensions = _CODES[self.dtype], len(self.shape)
        return struct.pack(f">4B{dimensions}I", 0, 0, code, dimensions, *self.shape)

    @property
    def value_bytes(self) -> int:
        """Size of all values, in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def file_bytes(self) -> int:
        """Size of a whole file, in decompressed bytes."""
        return self.start + self.value_bytes

    @property
    def item_bytes(self) -> int:
        """Size of one item along the first dimension, in bytes."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


def _parse_header(stream: BinaryIO, path: Path) -> IdxHeader:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[3] == 0:
        raise DataError(
            f"{path}: starts with bytes {magic.hex(' ') or '(none)'}, expected an IDX file: "
            "00 00, a dtype code and the number of dimensions"
        )
    if magic[2] not in _DTYPES:
        found = _FLOATS.get(magic[2], "unknown")
        raise DataError(
            f"{path}: dtype is {found} (code 0x{magic[2]:02x}), expected uint8 (code 0x08) for "
            "images, and uint8, int8, int16 or int32 for labels; convert the values to such"
        )
    dims = stream.read(4 * magic[3])
    if len(dims) < 4 * magic[3]:
        raise DataError(f"{path}: ends inside its header of {magic[3]} dimensions; fetch it again")
    return IdxHeader(_DTYPES[magic[2]], struct.unpack(f">{magic[3]}I", dims))


def read_header(path: Path) -> IdxHeader:
    """Reads the header of an IDX file.

    Raises:
        DataError: the file cannot be read, is no IDX file, or does not hold whole numbers.
    """
    with opened(path) as file:
        return _parse_header(file.stream, path)


def read_range(path: Path, start: int, stop: int) -> np.ndarray:
    """Reads items [start, stop), holding no more than those in memory.

    A plain file is read at the place; a gzip file is decompressed from its beginning up to `stop`.

    Returns:
        [stop - start, ...] of the file's dtype, owned by the caller.

    Raises:
        DataError: the range is not within the file, or the file is damaged or too short.
    """
    with opened(path) as file:
        stream = file.stream
        header = _parse_header(stream, path)
        if not 0 <= start <= stop <= header.shape[0]:
            raise DataError(
                f"{path}: items [{start}, {stop}) were asked for, but it holds {header.shape[0]}"
            )
        stream.seek(header.start + start * header.item_bytes)
        wanted = (stop - start) * header.item_bytes
        values = bytearray()
        # In chunks, so that a damaged header that claims terabytes does not allocate them.
        while len(values) < wanted and (chunk := stream.read(min(_CHUNK, wanted - len(values)))):
            values += chunk
    if len(values) < wanted:
        raise DataError(
            f"{path}: ends after {len(values)} of the {wanted} bytes of items [{start}, {stop}); "
            "the file is incomplete, fetch it again"
        )
    return np.frombuffer(values, header.dtype).reshape(stop - start, *header.shape[1:])


@contextmanager
def opened_values(
    path: Path, part_bytes: int = _CHUNK
) -> Iterator[tuple[IdxHeader, Iterator[bytes]]]:
    """Yields the header and the values, for callers that read all of them once.

    The values come in parts of `part_bytes` bytes, the last one shorter. No more is read, or
    decompressed, than the header announces plus one byte. At the end of a gzip file its CRC is
    checked, too.

    Raises:
        DataError: there are fewer or more values than announced, or the file is damaged. If the
            file's size already shows it, this is raised before anything is read.
    """
    with opened(path) as file:
        header = _parse_header(file.stream, path)
        can_hold = file.can_hold(header.file_bytes)
        if not can_hold or file.must_hold_more_than(header.file_bytes):
            found = f"{file.size} bytes" + " of gzip" * file.compressed
            raise _wrong_length(path, header, found, too_long=can_hold)
        yield header, _parts(file, header, path, part_bytes)


def _parts(file: Opened, header: IdxHeader, path: Path, part_bytes: int) -> Iterator[bytes]:
    left = header.value_bytes
    while left:
        part = bytearray()
        while len(part) < min(part_bytes, left):
            chunk = file.stream.read(min(_CHUNK, part_bytes - len(part), left - len(part)))
            if not chunk:
                found = header.file_bytes - left + len(part)
                raise _wrong_length(path, header, f"{found} bytes", too_long=False)
            part += chunk
        left -= len(part)
        yield bytes(part)
    # Reads to the end of a gzip file as well, which is where its CRC is.
    if file.stream.read(1):
        raise _wrong_length(path, header, f"more than {header.file_bytes} bytes", too_long=True)


def _wrong_length(path: Path, header: IdxHeader, found: str, too_long: bool) -> DataError:
    return DataError(
        f"{path}: holds {found}, expected {header.file_bytes} for the shape {header.shape} in its "
        f"header; the file is {'too long' if too_long else 'cut short'}, fetch it again"
    )


def write_idx(path: Path, array: np.ndarray) -> None:
    """Writes an array of any shape with at least one dimension as a plain IDX file.

    The file appears whole or not at all; the same array always gives the same bytes.

    Raises:
        DataError: the array is not of uint8, int8, int16 or int32, or has no dimension, or the disk
            refuses.
    """
    write_idx_parts(path, array.shape, [array], array.dtype)


def write_idx_parts(
    path: Path,
    shape: tuple[int, ...],
    parts: Iterable[np.ndarray],
    dtype: np.dtype | type = np.uint8,
) -> None:
    """Writes arrays, one after the other along the first dimension, as `write_idx` does one.

    Only one part has to be in memory at a time.

    Raises:
        DataError: a part is not of `dtype`, or is none of such a shape, or the disk refuses.
    """
    stored = np.dtype(dtype).newbyteorder(">")
    written = 0
    with disk_errors("write", path), written_whole(path) as file:
        if stored in _CODES and shape:
            file.write(IdxHeader(stored, shape).packed)
        for part in parts:
            if (
                stored not in _CODES
                or part.dtype != dtype
                or part.shape[1:] != shape[1:]
                or not shape
            ):
                raise DataError(
                    f"{path}: cannot write {part.dtype} of shape {part.shape}, expected uint8, "
                    f"int8, int16 or int32 with 1 to 255 dimensions, here parts of {shape}"
                )
            file.write(part.astype(stored).tobytes())
            written += len(part)
        if written != shape[0]:
            raise DataError(f"{path}: was given {written} items, expected {shape[0]}")
