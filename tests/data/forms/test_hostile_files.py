"""Files that are none, or that hold far more than they should: refused without reading them."""

import gzip
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from data.errors import DataError
from data.finding.opening import open_data
from data.forms import decompressed
from data.forms.idx import read_header, write_idx
from data.forms.idx_checksums import has_sha256, sha256_of
from data.forms.idx_names import FILE_NAMES

GIB = 1 << 30


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_socket(path: Path) -> None:
    # Its path may have no more than some hundred characters.
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (os.mkfifo, "is a FIFO, expected a file"),
        (Path.mkdir, "is a folder, expected a file"),
        (make_device, "is a device, expected a file"),
        (make_socket, "cannot read"),
        (lambda path: path.symlink_to("nowhere"), "cannot read"),
        (lambda path: path.symlink_to(path), "cannot (read|look into)"),
    ],
)
@pytest.mark.parametrize("end", ["", ".gz"])
def test_what_is_no_file_is_said(
    make: Callable[[Path], None], what: str, end: str, folder: Path
) -> None:
    path = folder / (FILE_NAMES[0] + end)
    (folder / FILE_NAMES[0]).unlink()
    make(path)
    with pytest.raises(DataError, match=what) as caught:
        open_data(folder)
    assert str(folder) in str(caught.value)
    with pytest.raises(DataError):  # without waiting for a FIFO's other end
        read_header(path)


def test_a_fifo_that_comes_after_the_files_were_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / FILE_NAMES[0]).unlink()
    os.mkfifo(folder / FILE_NAMES[0])
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    with pytest.raises(DataError, match=f"{FILE_NAMES[0]}: is a FIFO"):
        open_data(folder)


class Counting:
    """A stream that notes how much was read."""

    def __init__(self, stream: BinaryIO, reads: list[int]) -> None:
        self._stream, self._reads = stream, reads

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._reads.append(len(content))
        return content


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many decompressed bytes each read of an opened file gave."""
    reads: list[int] = []

    def counted(stream: BinaryIO, *args: Any) -> decompressed.Opened:
        return opened_type(Counting(stream, reads), *args)

    opened_type = decompressed.Opened
    monkeypatch.setattr(decompressed, "Opened", counted)
    return reads


def header(*shape: int) -> bytes:
    return b"\0\0\x08" + struct.pack(f">B{len(shape)}I", len(shape), *shape)


def write_sparse(path: Path, start: bytes, size: int) -> None:
    """Makes a file of so many bytes that takes no room on the disk."""
    path.write_bytes(start)
    os.truncate(path, size)


def write_bomb(path: Path, start: bytes, size: int) -> None:
    """Makes a gzip file of `start` and zeros, `size` bytes in all."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(start)
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))


@pytest.mark.parametrize(
    ("write", "shape", "size", "problem"),
    [
        (write_sparse, (30, 28, 28), 200 * GIB, "too long"),
        (write_sparse, (2**32 - 1, 28, 28), 200 * GIB, "cut short"),
        (write_sparse, (2**32 - 1, 2**32 - 1, 28), 200 * GIB, "expected images of shape"),
        (write_bomb, (30, 28, 28), 64 << 20, "too long"),
        (write_bomb, (2**32 - 1, 28, 28), 64 << 20, "cut short"),
        (
            write_sparse,
            gzip.compress(header(30, 28, 28) + bytes(30 * 784), mtime=0),
            200 * GIB,
            "too long",
        ),
    ],
)
def test_no_more_is_read_than_the_header_announces(
    write: Callable[[Path, bytes, int], None],
    shape: tuple[int, ...] | bytes,
    size: int,
    problem: str,
    folder: Path,
    bytes_read: list[int],
) -> None:
    path = folder / FILE_NAMES[0]
    labels = 30
    if isinstance(shape, tuple):
        labels = shape[0]
        write(path, header(*shape), size)
    else:
        write(path, shape, size)
    # They would be the first that is wrong otherwise.
    write_sparse(folder / FILE_NAMES[1], header(labels), 8 + labels)
    with pytest.raises(DataError, match=problem):
        open_data(folder)
    with pytest.raises(DataError):
        sha256_of(path)
    assert not has_sha256(path, "0" * 64, 16 + 30 * 784)
    assert sum(bytes_read) < 100_000


def test_a_file_of_another_size_is_not_read_for_its_hash(
    tmp_path: Path, bytes_read: list[int]
) -> None:
    """A gzip file may hold a thousand times its size, and say so."""
    write_bomb(tmp_path / "x.gz", header((64 << 20) - 8), 64 << 20)
    assert not has_sha256(tmp_path / "x.gz", "0" * 64, 10_008)
    assert sum(bytes_read) == 8


def test_the_most_that_gzip_can_compress_is_read(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", np.zeros((16, 1 << 20), np.uint8))
    packed = gzip.compress((tmp_path / "x").read_bytes(), 9)
    (tmp_path / "x.gz").write_bytes(packed)
    assert len(packed) < (16 << 20) / 1000
    assert sha256_of(tmp_path / "x.gz") == sha256_of(tmp_path / "x")


@pytest.mark.parametrize("level", [0, 9])
def test_the_least_that_gzip_can_compress_is_read(tmp_path: Path, level: int) -> None:
    write_idx(tmp_path / "x", np.random.default_rng(0).integers(0, 256, (1000, 784), np.uint8))
    whole = (tmp_path / "x").read_bytes()
    members = [gzip.compress(whole[at : at + 4096], level) for at in range(0, len(whole), 4096)]
    (tmp_path / "x.gz").write_bytes(b"".join(members))
    assert sha256_of(tmp_path / "x.gz") == sha256_of(tmp_path / "x")
