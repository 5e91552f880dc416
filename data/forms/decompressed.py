"""Files, plain or gzipped, opened as their decompressed bytes: without waiting, without surprise.

A user, or another program, may put anything in the place of a file at any time: a FIFO that nobody
writes to, a device, a gzip file of a megabyte that holds a gigabyte.
"""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from data.errors import DataError, disk_errors

_GZIP_MAGIC = b"\x1f\x8b"
# "The limit comes from the fact that one length/distance pair can represent at most 258 output
# bytes": https://www.zlib.net/zlib_tech.html, "Maximum Compression Factor".
_MAX_RATIO = 1032
# What gzip may add to bytes that do not compress, with much to spare: headers and block lengths.
_SLACK = 1 << 16


@dataclass(frozen=True)
class Opened:
    """The decompressed bytes of a file; `size` is that of the file itself, in bytes."""

    stream: BinaryIO
    size: int
    compressed: bool

    def can_hold(self, length: int) -> bool:
        """Whether there can be so many decompressed bytes, without reading them."""
        return length <= (_MAX_RATIO * self.size if self.compressed else self.size)

    def must_hold_more_than(self, length: int) -> bool:
        """Whether there must be more than so many decompressed bytes, or rubbish after them."""
        return self.size > (length + length // 64 + _SLACK if self.compressed else length)


def open_regular(path: Path, flags: int) -> int:
    """Opens a regular file as `os.open` does, and nothing else: never waits for a FIFO's other end.

    Raises:
        OSError: as `os.open`.
        DataError: the path is of something else.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise DataError(f"{path}: is a {_kind(path)}, expected a file; put the file itself there")


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Yields the decompressed bytes of `path`; reading errors within become DataErrors."""
    with disk_errors("read", path), open(path, "rb", opener=open_regular) as raw:
        size = os.fstat(raw.fileno()).st_size
        # Content decides: a .gz name survives being unpacked by browsers and proxies.
        compressed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        if not compressed:
            yield Opened(raw, size, compressed)
            return
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield Opened(stream, size, compressed)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{path}: expected a whole gzip file ({error}); it is damaged or incomplete, "
                "fetch it again"
            ) from error


def _kind(path: Path) -> str:
    path = Path(path)
    return "folder" if path.is_dir() else "FIFO" if path.is_fifo() else "device"
