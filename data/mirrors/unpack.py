"""Takes the known files out of an archive, and nothing else, whatever the archive says."""

import contextlib
import hashlib
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from data.catalogue import Member
from data.errors import DataError, disk_errors
from data.files import file_sha256, written_whole

# What was unpacked, beside it: names and SHA-256, so that damage is found later.
RECORD = ".unpacked.json"
_CHUNK = 1 << 20


def unpack(archive: Path, members: tuple[Member, ...], folder: Path) -> None:
    """Writes the members of a .zip or .tar.gz file into a folder.

    Each is looked up by its path and must be a regular file there; no path of the archive's is
    used on disk, and no more is read of a member than it may hold.

    Raises:
        DataError: the archive is damaged or lacks a member, or one is not of its size; or the disk
            refuses.
    """
    sums = {}
    with disk_errors("write", folder), _opened(archive) as opened:
        for member in members:
            with _damage(archive), opened(member.path) as source:
                sums[member.name] = _copy(source, archive, member, folder / member.name)
        with written_whole(folder / RECORD) as record:
            record.write(json.dumps(sums, sort_keys=True).encode())


def is_unpacked(members: tuple[Member, ...], folder: Path) -> bool:
    """Whether the folder holds the members as they were unpacked."""
    try:
        sums = json.loads((folder / RECORD).read_bytes())
        return isinstance(sums, Mapping) and all(
            (folder / member.name).is_file()
            and (folder / member.name).stat().st_size <= member.size
            and file_sha256(folder / member.name) == sums.get(member.name)
            for member in members
        )
    except (OSError, ValueError):
        return False


def _copy(source: IO[bytes], archive: Path, member: Member, target: Path) -> str:
    digest, size = hashlib.sha256(), 0
    with written_whole(target) as file:
        while chunk := source.read(min(_CHUNK, member.size + 1 - size)):
            size += len(chunk)
            if size > member.size:
                break
            digest.update(chunk)
            file.write(chunk)
        if size > member.size or (member.is_exact and size < member.size):
            raise DataError(
                f"{archive}: {member.path} holds {'more' if size > member.size else 'fewer'} than "
                f"{member.size} bytes; this is another archive, fetch it again"
            )
    return digest.hexdigest()


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator:
    """Yields what opens a member by its path."""
    with _damage(archive):
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                yield packed.open
            return
        with tarfile.open(archive, "r:gz") as packed:

            def member(path: str) -> IO[bytes]:
                info = packed.getmember(path)
                opened = packed.extractfile(info) if info.isreg() else None
                if opened is None:
                    raise KeyError(f"{path} is no file")
                return opened

            yield member


@contextlib.contextmanager
def _damage(archive: Path) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        KeyError,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DataError(
            f"{archive}: expected a whole archive with the known files ({error}); fetch it again"
        ) from error
