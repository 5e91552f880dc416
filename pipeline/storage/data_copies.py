"""Copies of the data sets in an object store."""

import os
import shutil
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from data.errors import DataError
from data.forms import idx
from data.forms.idx_names import role_of
from data.forms.registry import may_belong
from pipeline.storage import store_copies, stores

# So much of a gzipped file has its header in it, however far ahead Python decompresses.
_START_BYTES = 1 << 18


def download_data(uri: str, folder: Path) -> None:
    """Copies what may belong to a data set at a path in an object store, and nothing else there.

    Of a single file, the copy is `folder` with the file's name.

    Raises:
      stores.StoreError: it cannot be read.
      data.errors.DataError: it is more than the disk holds, or an IDX file is far longer, or
        shorter, than its header says.
    """
    stores.names(uri)  # tells a folder that is not there from one without data
    found = stores.find(uri)
    if stores.is_file(uri):
        parent, _, name = uri.rstrip("/").rpartition("/")
        _download(parent, {name: sum(found.values())}, folder.parent)
        return
    _download(uri, {name: found[name] for name in found if may_belong(name)}, folder)


def download_matching(uri: str, patterns: Collection[str], folder: Path) -> None:
    """Copies the files below a folder of an object store that patterns name; see `download_data`.

    A pattern is matched part by part: `*` reaches no further than to the next slash.
    """
    found = stores.find(uri)
    wanted = {n: size for n, size in found.items() if any(_matches(n, p) for p in patterns)}
    _download(uri, wanted, folder)


def _download(uri: str, sizes: dict[str, int], folder: Path) -> None:
    # An object's name may be anything, "../../.profile" too.
    names = [name for name in sizes if _is_below(name)]
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if role_of(PurePosixPath(name).name):
            _check_header(uri, name, folder)
    total, free = sum(sizes[name] for name in names), shutil.disk_usage(folder).free
    if total > free:
        raise DataError(
            f"{uri}: the {len(names):,} files of the data are {total:,} bytes, and {folder.parent} "
            f"has room for {free:,}; make room, or set TMPDIR to a folder on a larger disk"
        )
    store_copies.download_files(uri, names, folder)


def _check_header(uri: str, name: str, folder: Path) -> None:
    """Looks at the beginning of a file before a terabyte is copied; a hole stands for the rest."""
    copy = folder / name
    size = store_copies.download_start(f"{uri.rstrip('/')}/{name}", _START_BYTES, copy)
    os.truncate(copy, size)
    try:
        with idx.opened_values(copy):
            pass
    except DataError as error:
        raise DataError(str(error).replace(str(folder), uri.rstrip("/"))) from error


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts


def _matches(name: str, pattern: str) -> bool:
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
