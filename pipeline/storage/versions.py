"""Pushed versions of models, for readers of `serving/` and `device/`.

A version is a folder whose name is a number. It is whole when it holds RECORD and every file that
RECORD names, in the size given there; the Pusher writes RECORD last. On a disk such a folder
appears all at once, by a rename. An object store has no rename, so there a version may be visible
before it is whole.

This module needs no TFX, for programs that only read models.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.storage import stores

RECORD = "pushed.json"


@dataclasses.dataclass(frozen=True)
class File:
    """A file's size, and its SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Record:
    """What RECORD holds.

    Attributes:
      push: which push made the version, see `pushes.push_id`.
      pipeline: the name of the pipeline that pushed it.
      files: all others in the version, by their path in it, with slashes.
    """

    push: str
    pipeline: str
    files: Mapping[str, File]

    def to_json(self) -> str:
        """Returns RECORD's text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def newest(folder: str | os.PathLike[str]) -> str | None:
    """Returns the path or URI of the whole version with the highest number; None without one.

    Args:
      folder: such as OUTPUT/serving, a path or a URI; it need not exist.

    Raises:
      stores.StoreError: the folder is in an object store and cannot be listed.
    """
    found = files(folder)
    for name in sorted(found, key=int, reverse=True):
        if _record(folder, name, found[name]):
            return join(folder, name)
    return None


def is_whole(version: str | os.PathLike[str]) -> bool:
    """Says whether all of a version, given by its path or URI, is there."""
    return read(version) is not None


def read(version: str | os.PathLike[str]) -> Record | None:
    """Returns the record of a version that is whole, None for any other.

    Raises:
      stores.StoreError: the version is in an object store and cannot be listed.
    """
    folder, _, name = os.fspath(version).rstrip("/").rpartition("/")
    return _record(folder, name, files(folder, name).get(name, {}))


def is_version(name: str) -> bool:
    """Says whether a folder's name is that of a version."""
    return name.isascii() and name.isdigit()


def files(folder: str | os.PathLike[str], name: str = "") -> dict[str, dict[str, int]]:
    """Returns what lies in each version, whole or not: sizes in bytes by the path in it.

    Args:
      folder: as for `newest`.
      name: of the only version to look at.
    """
    location = os.fspath(folder)
    on_disk = stores.local_path(location)
    listed = _in_store(location, name) if on_disk is None else _on_disk(on_disk, name)
    found: dict[str, dict[str, int]] = {}
    for path, size in listed:
        version, _, inner = path.partition("/")
        if inner and is_version(version):
            found.setdefault(version, {})[inner] = size
    return found


def join(folder: str | os.PathLike[str], *names: str) -> str:
    """Returns the path or URI of what lies below a folder."""
    return "/".join([os.fspath(folder).rstrip("/"), *names])


def _on_disk(folder: Path, name: str) -> Iterable[tuple[str, int]]:
    names = [name] if name else os.listdir(folder) if folder.is_dir() else []
    for version in filter(is_version, names):
        for path in (folder / version).rglob("*"):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.stat().st_size


def _in_store(folder: str, name: str) -> Iterable[tuple[str, int]]:
    for path, facts in stores.find(join(folder, name) if name else folder).items():
        yield (f"{name}/{path}" if name else path), facts


def _record(folder: str | os.PathLike[str], name: str, there: Mapping[str, int]) -> Record | None:
    """Returns the version's record when all that it names is `there`."""
    text = stores.read_text(join(folder, name, RECORD)) if RECORD in there else None
    try:
        content = json.loads(text or "")
        named = {path: File(**facts) for path, facts in content.pop("files").items()}
        record = Record(**content, files=named)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    is_there = all(there.get(path) == file.bytes for path, file in named.items())
    return record if is_there else None
