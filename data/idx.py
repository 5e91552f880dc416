"""Reading, checking and writing IDX files, plain or gzip.

The format (big-endian): two zero bytes, a dtype code, the number of dimensions, one uint32 for
each dimension, then the values in row-major order. Source: "The IDX file format" at
http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import hashlib
import math
import os
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.errors import DataError, disk_errors

_GZIP_MAGIC = b"\x1f\x8b"
_UINT8 = 0x08
_DTYPES = {
    0x08: "uint8",
    0x09: "int8",
    0x0B: "int16",
    0x0C: "int32",
    0x0D: "float32",
    0x0E: "float64",
}
_CHUNK = 1 << 20


@dataclass(frozen=True)
class IdxHeader:
    """What an IDX file says about itself: dtype (always uint8 here) and shape, items first."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def start(self) -> int:
        """Offset of the first value, in decompressed bytes."""
        return 4 + 4 * len(self.shape)

    @property
    def item_bytes(self) -> int:
        """Size of one item along the first dimension, in bytes."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Yields the decompressed bytes of `path`; reading errors within become DataErrors."""
    with disk_errors("read", path), open(path, "rb") as raw:
        # Content decides: a .gz name survives being unpacked by browsers and proxies.
        compressed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        if not compressed:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{path}: expected a whole gzip file ({error}); it is damaged or incomplete, "
                "fetch it again"
            ) from error


def _parse_header(stream: BinaryIO, path: Path) -> IdxHeader:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[3] == 0:
        raise DataError(
            f"{path}: starts with bytes {magic.hex(' ') or '(none)'}, expected an IDX file: "
            "00 00, a dtype code and the number of dimensions"
        )
    if magic[2] != _UINT8:
        found = _DTYPES.get(magic[2], "unknown")
        raise DataError(
            f"{path}: dtype is {found} (code 0x{magic[2]:02x}), expected uint8 (code 0x08); "
            "convert the values to 0..255"
        )
    dims = stream.read(4 * magic[3])
    if len(dims) < 4 * magic[3]:
        raise DataError(f"{path}: ends inside its header of {magic[3]} dimensions; fetch it again")
    return IdxHeader(np.dtype(np.uint8), struct.unpack(f">{magic[3]}I", dims))


def read_header(path: Path) -> IdxHeader:
    """Reads the header of an IDX file of uint8.

    Raises:
        DataError: the file cannot be read, is no IDX file, or holds another dtype.
    """
    with _opened(path) as stream:
        return _parse_header(stream, path)


def read_range(path: Path, start: int, stop: int) -> np.ndarray:
    """Reads items [start, stop), holding no more than those in memory.

    A plain file is read at the place; a gzip file is decompressed from its beginning up to `stop`.

    Returns:
        uint8[stop - start, ...], values 0 to 255, owned by the caller.

    Raises:
        DataError: the range is not within the file, or the file is damaged or too short.
    """
    with _opened(path) as stream:
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


def check_length(path: Path) -> IdxHeader:
    """Checks that a file holds exactly the values its header announces, and returns the header.

    A gzip file is decompressed to its end, which checks its CRC too.

    Raises:
        DataError: there are fewer or more values than announced, or the file is damaged.
    """
    with _opened(path) as stream:
        header = _parse_header(stream, path)
        found = sum(len(chunk) for chunk in _chunks(stream))
    expected = header.shape[0] * header.item_bytes
    if found != expected:
        problem = "cut short" if found < expected else "too long"
        raise DataError(
            f"{path}: holds {found} bytes of values, expected {expected} for the shape "
            f"{header.shape} in its header; the file is {problem}, fetch it again"
        )
    return header


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of the decompressed bytes, so that recompression does not change it.

    Raises:
        DataError: the file cannot be read or its gzip stream is damaged.
    """
    digest = hashlib.sha256()
    with _opened(path) as stream:
        for chunk in _chunks(stream):
            digest.update(chunk)
    return digest.hexdigest()


def has_sha256(path: Path, sha256: str) -> bool:
    """Whether `path` is a readable, undamaged file whose decompressed bytes hash to `sha256`."""
    try:
        return sha256_of(path) == sha256
    except DataError:
        return False


def write_idx(path: Path, array: np.ndarray) -> None:
    """Writes a uint8 array of any shape with at least one dimension as a plain IDX file.

    The file appears whole or not at all; the same array always gives the same bytes.

    Raises:
        DataError: the array is not uint8 or has no dimension, or the disk refuses.
    """
    write_idx_parts(path, array.shape, [array])


def write_idx_parts(path: Path, shape: tuple[int, ...], parts: Iterable[np.ndarray]) -> None:
    """Writes arrays, one after the other along the first dimension, as `write_idx` does one.

    Only one part has to be in memory at a time.

    Raises:
        DataError: a part is not uint8, or is none of such a shape, or the disk refuses.
    """
    header = struct.pack(f">4B{len(shape)}I", 0, 0, _UINT8, len(shape), *shape)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    written = 0
    with disk_errors("write", path):
        try:
            with open(temporary, "wb") as file:
                file.write(header)
                for part in parts:
                    if part.dtype != np.uint8 or not part.ndim or part.shape[1:] != shape[1:]:
                        raise DataError(
                            f"{path}: cannot write {part.dtype} of shape {part.shape}, expected "
                            f"uint8 with 1 to 255 dimensions, here parts of {shape}"
                        )
                    file.write(part.tobytes())
                    written += len(part)
            if written != shape[0]:
                raise DataError(f"{path}: was given {written} items, expected {shape[0]}")
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
