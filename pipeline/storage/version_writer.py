"""Writes versions of models so that readers see all of one or nothing; see versions.py.

On a disk, a version is written into a folder aside, synced, and renamed. In an object store, an
object beside the files claims the version's number; it is removed once RECORD, the last file, has
been written. The folder and the claim are named after the push. So what an interrupted push left
behind can be recognised, and what others push is never touched.
"""

import contextlib
import errno
import os
import random
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from data.files import file_sha256
from pipeline.storage import store_copies, stores, versions

ASIDE = ".pushing-"
_LAST = "saved_model.pb"  # before it is there, TensorFlow Serving takes no model from a store
_MAX_VERSION = 2**63 - 1  # TensorFlow Serving's


class PushError(OSError):
    """A version could not be written; the message says where, why, and what is left."""


def push(source: Mapping[str, Path], folder: str, push_id: str, pipeline: str) -> str:
    """Writes a version, unless the newest is this pipeline's and has the same files already.

    So a push that was finished but never recorded is found, not repeated.

    Args:
      source: files on disk, by their path in the version.
      folder: of the versions, a path or a URI; created if need be.
      push_id: of this push; 16 hexadecimal digits.
      pipeline: the name of the pipeline that pushes.

    Returns:
      The version's path or URI. Its number is the time in seconds, or one more than the highest.

    Raises:
      PushError: the version cannot be written; then there is none.
    """
    on_disk = stores.local_path(folder)
    try:
        named = {
            name: versions.File(path.stat().st_size, file_sha256(path))
            for name, path in source.items()
        }
        record = versions.Record(push_id, pipeline, named)
        for path in leftovers(folder, {push_id}):  # of an earlier attempt
            remove(path)
        newest = versions.newest(folder)
        last = newest and versions.read(newest)
        if newest and last and (last.pipeline, last.files) == (pipeline, named):
            return newest
        if on_disk is None:
            return versions.join(folder, _into_store(source, folder, record))
        return versions.join(folder, _onto_disk(source, on_disk, record))
    except Exception as error:  # each store's library has its own
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number else str(error)
        raise PushError(
            f"cannot push to {folder} ({reason}); no version was added there, and the next run "
            "pushes again"
        ) from error


def leftovers(folder: str, push_ids: Collection[str]) -> dict[str, str]:
    """Returns what these pushes left unfinished: which push, by the path or URI.

    Raises:
      stores.StoreError: the folder is in an object store and cannot be listed.
    """
    on_disk = stores.local_path(folder)
    if on_disk is not None:
        return {
            versions.join(folder, f"{ASIDE}{push_id}"): push_id
            for push_id in push_ids
            if (on_disk / f"{ASIDE}{push_id}").is_dir()
        }
    left = {}
    for version, files in versions.files(folder).items():
        for push_id in push_ids:
            claim = f"{ASIDE}{push_id}"
            if claim in files:
                # A claim that is empty was not yet known to be the only one.
                is_all_ours = files[claim] and versions.RECORD not in files
                names = [version] if is_all_ours else [version, claim]
                left[versions.join(folder, *names)] = push_id
    return left


def pushed_by(folder: str, push_ids: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Returns the whole versions that these pushes made: which push, by the path or URI.

    Args:
      folder: of the versions.
      push_ids: of the pushes.
      known: versions that need not be looked at.

    Raises:
      stores.StoreError: the folder is in an object store and cannot be listed.
    """
    found = {}
    for version in sorted(set(versions.files(folder)) - set(known), key=int):
        path = versions.join(folder, version)
        record = versions.read(path)
        if record and record.push in push_ids:
            found[path] = record.push
    return found


def remove(path: str) -> None:
    """Removes a version, or what `leftovers` found; no reader takes a part of it meanwhile."""
    on_disk = stores.local_path(path)
    if on_disk is None:
        _remove_from_store(path)
        return
    record = versions.read(path) if versions.is_version(on_disk.name) else None
    if record:
        aside = on_disk.with_name(f"{ASIDE}{record.push}")
        shutil.rmtree(aside, ignore_errors=True)
        on_disk = on_disk.rename(aside)
    shutil.rmtree(on_disk)


def _remove_from_store(path: str) -> None:
    names = stores.find(path)
    if versions.RECORD in names and (record := versions.read(path)):
        claim = f"{ASIDE}{record.push}"
        stores.write_text(versions.join(path, claim), "being removed\n")
        names[claim] = 0
    # The claim last: by it, what a removal that was killed left is found.
    for name in sorted(names, key=lambda name: (name.startswith(ASIDE), name != versions.RECORD)):
        stores.remove(versions.join(path, name))
    stores.remove(path)


def _onto_disk(source: Mapping[str, Path], folder: Path, record: versions.Record) -> str:
    """Returns the version's name."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{ASIDE}{record.push}"
    try:
        aside.mkdir()
        for name, path in source.items():
            target = aside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            _sync(target)
        (aside / versions.RECORD).write_text(record.to_json())
        _sync(aside / versions.RECORD)
        for path in (*filter(Path.is_dir, aside.rglob("*")), aside):
            _sync(path)
        version = _renamed(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _sync(folder)
    _sync(folder.parent)
    return version


def _renamed(aside: Path, folder: Path) -> str:
    """Gives the folder the next number that is free, also while others push."""
    for number in _numbers(str(folder)):
        try:
            aside.rename(folder / str(number))
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return str(number)
    raise AssertionError("there is always another number")


def _into_store(source: Mapping[str, Path], folder: str, record: versions.Record) -> str:
    """Returns the version's name."""
    version, claim = _claimed(folder, record.push)
    try:
        for name in sorted(source, key=lambda name: (name == _LAST, name)):
            store_copies.upload(source[name], versions.join(version, name))
        stores.write_text(versions.join(version, versions.RECORD), record.to_json())
    except BaseException:
        with contextlib.suppress(Exception):  # what stays is found by its claim
            remove(version)
        raise
    stores.remove(claim)
    return version.rpartition("/")[2]


def _claimed(folder: str, push_id: str) -> tuple[str, str]:
    """Returns the URI of a version in which there is nothing but our claim, and the claim's."""
    for number in _numbers(folder):
        version = versions.join(folder, str(number))
        claim = versions.join(version, f"{ASIDE}{push_id}")
        stores.write_text(claim, "")
        # Whoever sees another's claim gives way; of two at once, each sees one or both do.
        if set(versions.files(folder, str(number)).get(str(number), {})) == {f"{ASIDE}{push_id}"}:
            stores.write_text(claim, "the only one\n")
            return version, claim
        stores.remove(claim)
    raise AssertionError("there is always another number")


def _numbers(folder: str) -> Iterator[int]:
    """Yields numbers above those of all versions, the time at least."""
    number = int(time.time())
    while True:
        taken = [n for n in map(int, _names(folder)) if n < _MAX_VERSION]
        number = max([number, *(n + 1 for n in taken)])
        yield number
        number += random.randint(1, 8)  # so that two that met do not meet again


def _names(folder: str) -> list[str]:
    """Returns the names of all versions, whole or not."""
    on_disk = stores.local_path(folder)
    names = versions.files(folder) if on_disk is None else os.listdir(on_disk)
    return [name for name in names if versions.is_version(name)]


def _sync(path: Path) -> None:
    """Has what was written to a file, or entered in a folder, on the disk when it returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of file systems that do not know it for folders
            raise
    finally:
        os.close(descriptor)
