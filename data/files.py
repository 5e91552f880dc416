"""What all of the project shares about files: where it lies itself, whole writes, and digests."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PROJECT_ROOT = Path(__file__).resolve().parent.parent
OUTPUTS = PROJECT_ROOT / "output"


def default_output(name: str) -> Path:
    """Returns where all goes that is made of the data set of that name, unless OUTPUT says so."""
    return OUTPUTS / name


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Opens a file to write, which takes the place of `path` only when the block ends well.

    So readers see all of the old content or all of the new one, also after a crash. What was
    written by a block that fails is removed.

    Raises:
        OSError: the disk refuses.
    """
    aside = path.with_name(f".{uuid.uuid4().hex}.part")  # a long name has to stay a possible one
    try:
        with open(aside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Has the disk keep which files a folder has, also after a power cut; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's content in hexadecimal digits; raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file in a folder, by its path in it; raises OSError."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}
