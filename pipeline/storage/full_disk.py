"""What a full disk says, in whatever words the library had that met it."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.storage import stores, version_writer

_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
# TensorFlow's and Python's own; SQLite's, from ML Metadata.
_SIGNS = (*map(os.strerror, _NUMBERS), "database or disk is full")


def told(error: BaseException, folders: Iterable[str | Path]) -> str | None:
    """Returns a sentence on an error that a full disk caused, None on most others.

    Args:
      error: that ended the work.
      folders: that it writes to; those in object stores are left out.
    """
    if isinstance(error, version_writer.PushError):
        return str(error)
    for each in _causes(error):
        if isinstance(each, OSError) and each.errno in _NUMBERS and isinstance(each.filename, str):
            return _sentence(Path(each.filename).parent)
        if any(sign in str(each) for sign in _SIGNS):
            paths = [stores.local_path(os.fspath(folder)) for folder in folders]
            on_disk = [path for path in (*paths, Path(tempfile.gettempdir())) if path]
            return _sentence(min(filter(Path.is_dir, on_disk), key=_free_bytes))
    return None


def _sentence(folder: Path) -> str:
    return f"the disk of {folder} is full; make room there, then run again: finished work is kept"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
