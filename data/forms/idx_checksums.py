"""What IDX files hold, as SHA-256, so that recompression does not change it."""

import hashlib
from pathlib import Path

from data.errors import DataError
from data.forms.idx import opened_values


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a whole IDX file's decompressed bytes.

    Raises:
        DataError: the file cannot be read, is no IDX file, or is damaged (see
            `data.forms.idx.opened_values`).
    """
    with opened_values(path) as (header, parts):
        digest = hashlib.sha256(header.packed)
        for part in parts:
            digest.update(part)
        return digest.hexdigest()


def has_size(path: Path, size: int) -> bool:
    """Whether `path` begins as an IDX file of `size` decompressed bytes does."""
    try:
        with opened_values(path) as (header, _):
            return header.file_bytes == size
    except DataError:
        return False


def has_sha256(path: Path, sha256: str, size: int) -> bool:
    """Whether `path` is a whole IDX file of `size` decompressed bytes that hash to `sha256`."""
    try:
        # Of another size, all of it would be read, however much it is.
        return has_size(path, size) and sha256_of(path) == sha256
    except DataError:
        return False
