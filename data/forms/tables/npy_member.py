"""An array within an .npz file, read by ranges: the file's own words are held to its bytes."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from data.errors import DataError, disk_errors
from data.forms.decompressed import open_regular
from data.forms.views import out_of_range

_MAX_MEMBERS = 1000
_MAX_HEADER = 10_000
_CHUNK = 1 << 20
# See data/forms/decompressed.py: no more comes out of deflate.
_MAX_RATIO = 1032
_SLACK = 1 << 16
_KINDS = "uifb"  # of dtypes that are numbers
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class NpyMember:
    """An array of an .npz file; its shape and dtype are what its header says."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    start: int  # of the first value

    @property
    def item_bytes(self) -> int:
        """Size of one item along the first dimension."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def read(self, start: int, stop: int) -> np.ndarray:
        """Returns items [start, stop).

        Raises:
            DataError: there are fewer, or the file is damaged.
        """
        if not 0 <= start <= stop <= self.shape[0]:
            raise out_of_range(start, stop, self.shape[0])
        with _opened(self.path) as archive, archive.open(f"{self.name}.npy") as stream:
            stream.seek(self.start + start * self.item_bytes)
            return self._read(stream, stop - start)

    def parts(self, size: int) -> Iterator[np.ndarray]:
        """Yields all items, `size` at a time, and checks the CRC at their end."""
        with _opened(self.path) as archive, archive.open(f"{self.name}.npy") as stream:
            stream.seek(self.start)
            for start in range(0, self.shape[0], size):
                yield self._read(stream, min(size, self.shape[0] - start))
            stream.read(1)

    def _read(self, stream: IO[bytes], count: int) -> np.ndarray:
        values, wanted = bytearray(), count * self.item_bytes
        while len(values) < wanted and (chunk := stream.read(min(_CHUNK, wanted - len(values)))):
            values += chunk
        if len(values) < wanted:
            raise DataError(f"{self.path}: {self.name} ends early; the file is incomplete")
        return np.frombuffer(values, self.dtype).reshape(count, *self.shape[1:])


def members(path: Path) -> list[str]:
    """Returns the names of the arrays in an .npz file.

    Raises:
        DataError: it is none.
    """
    with _opened(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def open_member(path: Path, name: str) -> NpyMember:
    """Returns an array of an .npz file, whose header and length have been checked.

    Raises:
        DataError: it does not hold numbers, or not as many bytes as its header says.
    """
    with _opened(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        if info.flag_bits & 1 or info.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise DataError(
                f"{path}: {name} is encrypted or compressed in a way of its own; write "
                "the file with numpy.savez_compressed"
            )
        with archive.open(info) as stream:
            version = np.lib.format.read_magic(stream)
            if version not in _HEADERS:
                raise DataError(f"{path}: {name} has NumPy's format {version}, expected 1.0 or 2.0")
            shape, is_fortran, dtype = _HEADERS[version](stream, max_header_size=_MAX_HEADER)
            start = stream.tell()
    if dtype.kind not in _KINDS:
        raise DataError(
            f"{path}: {name} has dtype {dtype}, expected numbers; objects are never unpickled, so "
            "save an array of numbers"
        )
    if is_fortran and len(shape) > 1:
        raise DataError(
            f"{path}: {name} is stored by columns; save numpy.ascontiguousarray({name}) instead"
        )
    if not shape:
        raise DataError(f"{path}: {name} is a single number, expected an array of examples")
    expected = start + math.prod(shape) * dtype.itemsize
    if info.file_size != expected or expected > _MAX_RATIO * info.compress_size + _SLACK:
        raise DataError(
            f"{path}: {name} holds {info.file_size} bytes, of which {info.compress_size} are "
            f"stored, expected {expected} for its shape {shape} of {dtype}; the file is damaged"
        )
    return NpyMember(path, name, shape, dtype, start)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yields the archive; what is wrong with it while it is read becomes a DataError."""
    with disk_errors("read", path), open(path, "rb", opener=open_regular) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if len(archive.infolist()) > _MAX_MEMBERS:
                    raise DataError(
                        f"{path}: holds more than {_MAX_MEMBERS} members; expected a few arrays"
                    )
                yield archive
        except DataError:
            raise
        # zipfile and numpy tell damage in many ways: BadZipFile, zlib.error, EOFError, ValueError.
        except (
            zipfile.BadZipFile,
            EOFError,
            ValueError,
            KeyError,
            NotImplementedError,
            RuntimeError,
            zipfile.zlib.error,
        ) as error:
            raise DataError(
                f"{path}: expected a whole .npz file ({error}); it is damaged or none, fetch or "
                "save it again"
            ) from error
