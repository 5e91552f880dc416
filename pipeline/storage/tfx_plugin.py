"""TFX's file system for object stores: whoever imports this module has `fileio` take their URIs.

TFX itself leaves s3:// to TensorFlow, which since 2.6 knows it only through another package.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

from fsspec.implementations.local import LocalFileSystem
from tfx.dsl.io import fileio, filesystem, filesystem_registry

from pipeline.storage import stores

_BEFORE_TENSORFLOW = 5  # its priority is 10, and lower ones come first


class Stat(NamedTuple):
    """What TFX takes from a file's status to notice new data."""

    length: int
    mtime_nsec: int


class StoreFilesystem(filesystem.Filesystem):
    """Files in object stores, with folders that exist as soon as something is in them.

    So making a folder does nothing, and removing what is not there is no error.
    """

    SUPPORTED_SCHEMES: ClassVar = [f"{scheme}://" for scheme in stores.SCHEMES]

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        """Opens a file; what is written is there when it is closed."""
        file_system, path = stores.opened(name)
        encoding = None if "b" in mode else "utf-8"
        try:
            return file_system.open(path, mode, encoding=encoding)
        except FileNotFoundError as error:
            raise fileio.NotFoundError(f"{name}: no such file") from error

    @staticmethod
    def copy(src: str, dst: str, overwrite: bool = False) -> None:
        """Copies a file, also from one store to another."""
        _check_free(dst, overwrite)
        with StoreFilesystem.open(src, "rb") as source, StoreFilesystem.open(dst, "wb") as target:
            shutil.copyfileobj(source, target)

    @staticmethod
    def exists(path: str) -> bool:
        """Says whether there is a file, or a folder with something in it."""
        file_system, place = stores.opened(path)
        return file_system.exists(place)

    @staticmethod
    def glob(pattern: str) -> list[str]:
        """Returns the URIs that match."""
        file_system, place = stores.opened(pattern)
        return [file_system.unstrip_protocol(found) for found in file_system.glob(place)]

    @staticmethod
    def isdir(path: str) -> bool:
        """Says whether there is a folder with something in it."""
        file_system, place = stores.opened(path)
        return file_system.isdir(place)

    @staticmethod
    def listdir(path: str) -> list[str]:
        """Returns the names in a folder."""
        file_system, place = stores.opened(path)
        try:
            found = file_system.ls(place, detail=False)
        except FileNotFoundError as error:
            raise fileio.NotFoundError(f"{path}: no such folder") from error
        return [os.path.basename(name.rstrip("/")) for name in found]

    @staticmethod
    def makedirs(path: str) -> None:
        """Makes a folder where folders are real."""
        file_system, place = stores.opened(path)
        if isinstance(file_system, LocalFileSystem):
            file_system.makedirs(place, exist_ok=True)

    mkdir = makedirs

    @staticmethod
    def remove(path: str) -> None:
        """Removes a file."""
        stores.remove(path)

    rmtree = remove

    @staticmethod
    def rename(src: str, dst: str, overwrite: bool = False) -> None:
        """Moves a file, which object stores do by copying it."""
        StoreFilesystem.copy(src, dst, overwrite)
        stores.remove(src)

    @staticmethod
    def stat(path: str) -> Stat:
        """Returns a file's size and the time of its last change; zeros for a folder."""
        file_system, place = stores.opened(path)
        try:
            if file_system.isdir(place):
                return Stat(0, 0)
            return Stat(
                file_system.size(place), int(file_system.modified(place).timestamp()) * 10**9
            )
        except FileNotFoundError as error:
            raise fileio.NotFoundError(f"{path}: no such file") from error

    @staticmethod
    def walk(
        top: str, topdown: bool = True, onerror: Callable[..., None] | None = None
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yields each folder's URI with the names of the folders and files in it."""
        file_system, place = stores.opened(top)
        for folder, folders, files in file_system.walk(place, topdown=topdown):
            yield file_system.unstrip_protocol(folder), list(folders), list(files)


def _check_free(path: str, overwrite: bool) -> None:
    if not overwrite and StoreFilesystem.exists(path):
        raise OSError(f"{path} is already there, and may not be overwritten")


filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(
    StoreFilesystem, priority=_BEFORE_TENSORFLOW
)
