"""What IDX files hold, as SHA-256: which data set it is, and whether it is still the same."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.forms.idx import IdxHeader, opened_values


def sha256_of(
    path: Path,
    see: Callable[[bytes], None] = lambda values: None,
    *,
    header: IdxHeader | None = None,
    part_bytes: int = 1 << 20,
) -> str:
    """SHA-256 (hex) of the decompressed bytes, so that recompression does not change it.

    Args:
        path: of an IDX file.
        see: called with the values as they are hashed, `part_bytes` bytes at a time.
        header: the header that the file must have; None for any.
        part_bytes: size of a part; the last one may be shorter.

    Raises:
        DataError: the file cannot be read, is no IDX file, is damaged (see
            `data.forms.idx.opened_values`), or has another header.
    """
    with opened_values(path, part_bytes) as (found, parts):
        if header not in (None, found):
            raise changed(path)
        digest = hashlib.sha256(found.packed)
        for part in parts:
            digest.update(part)
            see(part)
        return digest.hexdigest()


def has_sha256(path: Path, sha256: str, size: int) -> bool:
    """Whether `path` is a whole IDX file of `size` decompressed bytes that hash to `sha256`."""
    try:
        with opened_values(path) as (header, _):
            if header.file_bytes != size:  # which would be all read otherwise, however much it is
                return False
        return sha256_of(path) == sha256
    except DataError:
        return False


def part_digests(path: Path, part_bytes: int, sha256: str) -> list[tuple[int, bytes]]:
    """Returns length and `digest_of` of each part of a file's values, as `sha256_of` sees them.

    Raises:
        DataError: the file is not there, or not the one that hashes to `sha256`.
    """
    digests: list[tuple[int, bytes]] = []

    def see(values: bytes) -> None:
        digests.append((len(values), digest_of(values)))

    try:
        found = sha256_of(path, see, part_bytes=part_bytes)
    except DataError as error:
        raise changed(path) from error
    if found != sha256:
        raise changed(path)
    return digests


def digest_of(values: bytes | np.ndarray) -> bytes:
    """SHA-256 of values, an array's in row-major order."""
    return hashlib.sha256(values).digest()


def changed(path: Path) -> DataError:
    """Returns the error for a file that is no longer what was checked."""
    return DataError(
        f"{path}: is no longer what was checked (changed, replaced or removed since); "
        "leave it alone while the pipeline runs, and run again"
    )
