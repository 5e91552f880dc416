"""Copies files and folders between object stores and this machine's disk."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from pipeline.storage import stores

# Object stores have no folders, only names with slashes: it stands for one that is empty.
_EMPTY_FOLDER = ".empty"


def download(uri: str, destination: Path) -> None:
    """Copies a file, or the content of a folder, to a path; it and those above it are made.

    Raises:
      stores.StoreError: nothing is there.
    """
    file_system, path = stores.opened(uri)
    if file_system.isfile(path):
        destination.parent.mkdir(parents=True, exist_ok=True)
        file_system.get_file(path, str(destination))
        return
    found = file_system.find(path)
    if not found:
        raise stores.StoreError(f"{uri}: nothing is there, or it has been removed")
    destination.mkdir(parents=True, exist_ok=True)
    # Some tools, too, leave an object for a folder: "folder/".
    files = [name for name in found if os.path.basename(name) not in ("", _EMPTY_FOLDER)]
    copies = [str(destination / os.path.relpath(name, path)) for name in files]
    file_system.get(files, copies)


def download_files(uri: str, names: Iterable[str], destination: Path) -> None:
    """Copies files below a folder to one on disk, which is made, as are those that they are in.

    Raises:
      stores.StoreError: one cannot be read.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with stores.explained("read", uri):
        file_system, path = stores.opened(uri)
        copies = {f"{path}/{name}": destination / name for name in names}
        for parent in {copy.parent for copy in copies.values()}:
            parent.mkdir(parents=True, exist_ok=True)
        if copies:  # many at a time, where the store's library can
            file_system.get(list(copies), [str(copy) for copy in copies.values()])


def download_start(uri: str, length: int, destination: Path) -> int:
    """Copies the first bytes of a file, and returns how many it has in all; folders are made.

    Raises:
      stores.StoreError: it cannot be read.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with stores.explained("read", uri):
        file_system, path = stores.opened(uri)
        size = file_system.size(path)
        start = file_system.cat_file(path, start=0, end=min(length, size)) if size else b""
    destination.write_bytes(start)
    return size


def upload(source: Path, uri: str) -> None:
    """Puts a local file or folder in the place of whatever is at the URI."""
    stores.remove(uri)
    file_system, path = stores.opened(uri)
    if source.is_file():
        file_system.put_file(str(source), path)
        return
    files = [file for file in source.rglob("*") if file.is_file()]
    if not files:
        file_system.pipe_file(f"{path}/{_EMPTY_FOLDER}", b"")
        return
    targets = [f"{path}/{file.relative_to(source).as_posix()}" for file in files]
    file_system.put([str(file) for file in files], targets)


def copy_folder(location: str, destination: Path) -> None:
    """Puts a copy of a folder, given by its path or URI, in the place of a local one.

    Its files are never mixed with those that were there before.
    """
    destination = destination.resolve()
    new, old = (destination.with_name(f".{destination.name}-{which}") for which in ("new", "old"))
    for aside in (new, old):  # of a copy that was killed
        shutil.rmtree(aside, ignore_errors=True)
    try:
        if stores.is_uri(location):
            download(location, new)
        else:
            shutil.copytree(location, new)
        if destination.exists():
            destination.rename(old)
        new.rename(destination)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
