"""Downloading a catalogue entry: mirrors, retries, resume, and nothing half-done left in place."""

import http.client
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from data.catalogue import CatalogueEntry, CatalogueFile
from data.dataset import candidates
from data.errors import DataError, disk_errors
from data.idx import has_sha256, sha256_of

_CHUNK = 1 << 16
# gzip makes bytes that do not compress only a little larger; anything beyond is another file.
_SLACK = 1 << 16
_RANGE_NOT_SATISFIABLE = 416
_RETRIED_CLIENT_ERRORS = {408, 429}
_Advance = Callable[[int, int | None], None]  # bytes so far, bytes in all


class DownloadError(DataError):
    """No mirror delivered; `reason` says why in a few words, the message also what to do."""

    def __init__(self, entry: CatalogueEntry, file_name: str, errors: Sequence[str]) -> None:
        """Takes one error for each mirror."""
        self.reason = "; ".join(errors) or "no mirror is known"
        super().__init__(
            f"{entry.title}: cannot download {file_name} ({self.reason}); check the network, or "
            "set MNIST_DIR to a folder with MNIST's four files, or use the offline DATASET=digits"
        )


class _TransferError(Exception):
    """A failed request; not an OSError, so that it is never taken for one of the disk."""

    def __init__(self, message: str, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


def missing_files(entry: CatalogueEntry, folder: Path) -> list[CatalogueFile]:
    """The entry's files that `folder` lacks or holds with another SHA-256."""
    return [
        file
        for file in entry.files
        if not _is_right(next(candidates(folder, file.name), None), file)
    ]


def download(
    entry: CatalogueEntry,
    folder: Path,
    mirrors: Sequence[str] | None = None,
    *,
    attempts: int = 3,
    timeout: float = 20.0,
    backoff: float = 0.5,
) -> None:
    """Brings the entry's files into `folder` as `<name>.gz`; right ones stay untouched.

    A file grows as `<name>.gz.part`, which a later call resumes, and gets its name only after the
    SHA-256 of its decompressed bytes was found right.

    Args:
        entry: what to download.
        folder: where to; made if needed. A wrong file in it that bears one of the names goes.
        mirrors: base addresses tried in turn; the entry's own if None.
        attempts: at each mirror, for errors that may pass.
        timeout: seconds without an answer or data.
        backoff: seconds before the second attempt, doubled for each further one.

    Raises:
        DownloadError: no mirror delivered one of the files.
        DataError: the folder cannot be written.
    """
    with disk_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file in missing_files(entry, folder):
            part, errors = folder / f"{file.name}.gz.part", []
            with _progress(file.name) as advance:
                for mirror in entry.mirrors if mirrors is None else mirrors:
                    try:
                        _fetch(
                            _address(mirror, file), part, file, attempts, timeout, backoff, advance
                        )
                        break
                    except _TransferError as error:
                        errors.append(f"{urllib.parse.urlsplit(mirror).netloc}: {error}")
                else:
                    raise DownloadError(entry, file.name, errors)
            target = part.with_suffix("")
            os.replace(part, target)
            # A damaged unpacked file would otherwise hide the good one.
            for other in candidates(folder, file.name):
                if other != target:
                    other.unlink()


def answering_mirrors(
    entry: CatalogueEntry, mirrors: Sequence[str] | None = None, seconds: float = 4.0
) -> list[str]:
    """Those of the mirrors that answer a request, with anything, within so many seconds.

    The limit holds for all together and for name resolution too, which urllib's timeout does not
    cover: without a network it can take half a minute.
    """
    mirrors = list(dict.fromkeys(entry.mirrors if mirrors is None else mirrors))
    answers: queue.Queue[tuple[str, bool]] = queue.Queue()

    def ask(mirror: str) -> None:
        request = urllib.request.Request(_address(mirror, entry.files[0]), method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
            answers.put((mirror, True))
        except (OSError, http.client.HTTPException) as error:
            answers.put((mirror, isinstance(error, urllib.error.HTTPError)))

    for mirror in mirrors:
        # A daemon, because one that hangs must not keep the program from ending.
        threading.Thread(target=ask, args=(mirror,), daemon=True).start()
    answered = {}
    end = time.monotonic() + seconds
    while len(answered) < len(mirrors):
        try:
            mirror, answered[mirror] = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
    return [mirror for mirror in mirrors if answered.get(mirror)]


def _address(mirror: str, file: CatalogueFile) -> str:
    return f"{mirror.rstrip('/')}/{file.name}.gz"


def _is_right(path: Path | None, file: CatalogueFile) -> bool:
    return path is not None and has_sha256(path, file.sha256)


def _fetch(
    url: str,
    part: Path,
    file: CatalogueFile,
    attempts: int,
    timeout: float,
    backoff: float,
    advance: _Advance,
) -> None:
    """Fills `part` from one mirror until its hash is right, or raises _TransferError."""
    if has_sha256(part, file.sha256):
        return
    attempt = 1
    while True:
        resumed = part.exists() and part.stat().st_size > 0
        try:
            _transfer(url, part, file.size + _SLACK, timeout, advance)
            _verify(part, file)
            return
        except _TransferError as error:
            # What was resumed may stem from another mirror's compression: start again for free.
            if resumed and not part.exists():
                continue
            if not error.retry or attempt >= attempts:
                raise
        time.sleep(backoff * 2 ** (attempt - 1))
        attempt += 1


def _verify(part: Path, file: CatalogueFile) -> None:
    try:
        found = sha256_of(part)
        problem = f"SHA-256 of the decompressed bytes is {found}, expected {file.sha256}"
    except DataError as error:
        found, problem = None, str(error)
    if found != file.sha256:
        part.unlink(missing_ok=True)
        raise _TransferError(problem, retry=False)


def _transfer(url: str, part: Path, limit: int, timeout: float, advance: _Advance) -> None:
    """Appends to `part` what it lacks of `url`; keeps what came when the transfer breaks off."""
    size = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        retry = error.code >= 500 or error.code in _RETRIED_CLIENT_ERRORS
        raise _TransferError(f"HTTP {error.code} {error.reason}", retry) from error
    except (OSError, http.client.HTTPException) as error:
        raise _TransferError(str(getattr(error, "reason", error))) from error
    with response:
        # A server that ignores Range sends all of the file, and no such header.
        if not response.headers.get("Content-Range", "").startswith(f"bytes {size}-"):
            size = 0
        length = response.headers.get("Content-Length")
        total = size + int(length) if length else None
        with open(part, "ab" if size else "wb") as target:
            for chunk in _chunks(response):
                size += target.write(chunk)
                advance(size, total)
                if size > limit:
                    break
    if size > limit:
        part.unlink()
        raise _TransferError(f"sent more than {limit} bytes, this is another file", retry=False)
    if total is not None and size < total:
        raise _TransferError(f"closed the connection after {size} of {total} bytes")


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            # read1 hands over what has come, so that a killed program loses little of it.
            chunk = response.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _TransferError(f"the transfer broke off ({error})") from error
        if not chunk:
            return
        yield chunk


@contextmanager
def _progress(name: str) -> Iterator[_Advance]:
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
