"""Downloading a catalogue entry: mirrors, retries, resume, and nothing half-done left in place."""

import fcntl
import os
import sys
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from data.catalogue import CatalogueEntry, CatalogueFile
from data.errors import DataError, disk_errors
from data.forms.idx_names import spellings
from data.mirrors.fetch import (
    DEFAULT_LIMITS,
    Advance,
    Fetch,
    Limits,
    TransferError,
    getting,
    is_right,
    next_message,
)
from data.mirrors.unpack import is_unpacked, unpack


class DownloadError(DataError):
    """No mirror delivered; `reason` says why in a few words, the message also what to do."""

    def __init__(self, entry: CatalogueEntry, file_name: str, errors: Sequence[str]) -> None:
        """Takes one error for each mirror."""
        self.reason = "; ".join(errors) or "no mirror is known"
        super().__init__(
            f"{entry.title}: cannot download {file_name} ({self.reason}); {_way_out(entry)}, or "
            "use the offline DATASET=digits"
        )


def _way_out(entry: CatalogueEntry) -> str:
    names = ", ".join(file.stored_name for file in entry.files)
    if entry.name == "mnist":
        return "check the network, or set MNIST_DIR to a folder with MNIST's four files"
    network = "check the network, or " if entry.mirrors else ""
    return f"{network}give a folder with its files ({names}) as DATASET"


def candidates(folder: Path, file: CatalogueFile) -> list[Path]:
    """The existing files that would be read for one of a catalogue entry, best first."""
    names = spellings(file.name) if file.suffix == ".gz" else [file.stored_name]
    return [path for name in names if (path := folder / name).is_file()]


def missing_files(entry: CatalogueEntry, folder: Path) -> list[CatalogueFile]:
    """The entry's files that `folder` lacks or holds with another checksum."""
    if entry.members:
        return [] if is_unpacked(entry.members, folder) else list(entry.files)
    return [
        file
        for file in entry.files
        if not is_right(next(iter(candidates(folder, file)), None), file)
    ]


def download(
    entry: CatalogueEntry,
    folder: Path,
    mirrors: Sequence[str] | None = None,
    *,
    attempts: int = 3,
    backoff: float = 0.5,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """Brings the entry's files into `folder` as `<name>.gz`; right ones stay untouched.

    A file grows as `<name>.gz.part`, which a later call resumes, and gets its name only after its
    checksum was found right. Of an archive, only the members that are known stay.

    Args:
        entry: what to download.
        folder: where to; made if needed. A wrong file in it that bears one of the names goes.
        mirrors: base addresses tried in turn; the entry's own if None.
        attempts: at each mirror, for errors that may pass.
        backoff: seconds before the second attempt, doubled for each further one.
        limits: a mirror that takes longer for a file is given up.

    Raises:
        DownloadError: no mirror delivered one of the files.
        DataError: the folder cannot be written.
    """
    with disk_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not missing_files(entry, folder):
            return
        with _only_download(folder):
            for file in missing_files(entry, folder):
                part, errors = folder / f"{file.stored_name}.part", []
                with _progress(file.name) as advance:
                    for mirror in entry.mirrors if mirrors is None else mirrors:
                        fetch = Fetch(_address(mirror, file), part, file, limits, advance)
                        try:
                            fetch.until_right(attempts, backoff)
                            break
                        except TransferError as error:
                            errors.append(f"{urllib.parse.urlsplit(mirror).netloc}: {error}")
                    else:
                        raise DownloadError(entry, file.name, errors)
                target = part.with_suffix("")
                os.replace(part, target)
                if entry.members:
                    unpack(target, entry.members, folder)
                    target.unlink()
                    continue
                # A damaged unpacked file would otherwise hide the good one.
                for other in candidates(folder, file):
                    if other != target:
                        other.unlink()


def answering_mirrors(
    entry: CatalogueEntry, mirrors: Sequence[str] | None = None, seconds: float = 4.0
) -> list[str]:
    """Those of the mirrors that answer a request, with anything, within so many seconds.

    The limit holds for all together and for name resolution too, which without a network can take
    half a minute.
    """
    mirrors = list(dict.fromkeys(entry.mirrors if mirrors is None else mirrors))
    with ExitStack() as stack:
        asked = [stack.enter_context(getting(_address(m, entry.files[0]))) for m in mirrors]
        deadline = time.monotonic() + seconds
        answers = [next_message(one, max(deadline - time.monotonic(), 0)) or {} for one in asked]
    return [m for m, answer in zip(mirrors, answers, strict=True) if "answered" in answer]


def _address(mirror: str, file: CatalogueFile) -> str:
    return f"{mirror.rstrip('/')}/{file.stored_name}"


@contextmanager
def _only_download(folder: Path) -> Iterator[None]:
    """Waits until no other process downloads into the folder: they would share the .part files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _progress(name: str) -> Iterator[Advance]:
    """A progress bar on stderr, or one line where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"downloading {name}", file=sys.stderr)
        yield lambda done, total: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
