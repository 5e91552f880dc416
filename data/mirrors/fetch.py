"""One file from one mirror: a process that gets it, held to limits, attempts and resumption."""

import hashlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.catalogue import CatalogueFile
from data.errors import DataError
from data.forms.decompressed import open_regular
from data.forms.idx_checksums import has_sha256, has_size

# gzip makes bytes that do not compress only a little larger; anything beyond is another file.
_SLACK = 1 << 16
_STEP = 0.05  # seconds between looks at what has come
_MESSAGE_LENGTH = 200
Advance = Callable[[int, int | None], None]  # bytes so far, bytes in all


@dataclass(frozen=True)
class Limits:
    """How long a mirror may take for a file before it is given up.

    Attributes:
        window: seconds that may not pass with fewer bytes of the content than `min_rate` for each
            of them. The time until the first byte counts.
        min_rate: bytes a second.
        base: seconds for a file of any size, all attempts together.
        size_rate: bytes for which there is a second more.
    """

    window: float = 20.0
    min_rate: float = 4096.0
    base: float = 60.0
    size_rate: float = 65_536.0

    def seconds(self, size: int) -> float:
        """For a file of `size` decompressed bytes."""
        return self.base + size / self.size_rate


DEFAULT_LIMITS = Limits()


class TransferError(Exception):
    """A failed request; not an OSError, so that it is never taken for one of the disk.

    `retry` says whether another attempt may help.
    """

    def __init__(self, message: str, retry: bool = True) -> None:
        """Takes a message of which a server may have made up any part."""
        shown = "".join(c for c in " ".join(message.split()) if c.isprintable())
        super().__init__(shown[:_MESSAGE_LENGTH])
        self.retry = retry


def is_right(path: Path | None, file: CatalogueFile) -> bool:
    """Whether `path` holds `file`: as it is published or, of an IDX file, plain or gzipped."""
    if path is None or not path.is_file():
        return False
    if file.sha256:
        return has_sha256(path, file.sha256, file.size)
    if file.md5:
        return has_md5(path, file.md5, file.size + _SLACK)
    return has_size(path, file.size)


def has_md5(path: Path, md5: str, longest: int) -> bool:
    """Whether a file of at most `longest` bytes has this MD5, in hex, as it is."""
    try:
        with open(path, "rb", opener=open_regular) as file:
            if os.fstat(file.fileno()).st_size > longest:
                return False
            return hashlib.file_digest(file, "md5").hexdigest() == md5
    except (OSError, DataError):
        return False


def _expectation(file: CatalogueFile) -> str:
    if file.sha256:
        return f"the SHA-256 of what it holds is not {file.sha256}"
    return f"its MD5 is not {file.md5}" if file.md5 else f"it is no IDX file of {file.size} bytes"


@contextmanager
def getting(url: str, *arguments: int) -> Iterator[subprocess.Popen[bytes]]:
    """Runs get.py, an open file's descriptor and its limit being the arguments, and ends it.

    The resolution of a name, a handshake, headers without end: nothing else could end them all.
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name("get.py")), url]
    with subprocess.Popen(
        [*command, *map(str, arguments)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=arguments[:1],
        start_new_session=True,  # Ctrl-C is for the parent alone
    ) as process:
        try:
            next_message(process, None)  # it has begun: the time that Python takes is not counted
            yield process
        finally:
            process.kill()


def next_message(process: subprocess.Popen[bytes], seconds: float | None) -> dict[str, Any] | None:
    """Returns what get.py says next, or None when it says nothing for so long."""
    if not select.select([process.stdout], [], [], seconds)[0]:
        return None
    line = process.stdout.readline()
    return json.loads(line) if line else {"reason": f"get.py ended with status {process.wait()}"}


@dataclass(frozen=True)
class Fetch:
    """How one mirror's copy of a file comes into `part`."""

    url: str
    part: Path
    file: CatalogueFile
    limits: Limits
    advance: Advance

    def until_right(self, attempts: int, backoff: float) -> None:
        """Fills `part` until its hash is right, or raises TransferError."""
        deadline = time.monotonic() + self.limits.seconds(self.file.size)
        attempt = 1
        while not is_right(self.part, self.file):
            resumed = self._size() > 0
            try:
                self._transfer(deadline)
                self._verify()
                return
            except TransferError as error:
                # What was resumed may stem from another mirror's compression: start again for free.
                if resumed and not self._size():
                    continue
                # It may all be there, and only the end of the answer missing.
                if is_right(self.part, self.file):
                    return
                if not error.retry or attempt >= attempts:
                    raise
                time.sleep(backoff * 2 ** (attempt - 1))
                attempt += 1
            finally:
                if not self._size():
                    self.part.unlink(missing_ok=True)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _verify(self) -> None:
        if not is_right(self.part, self.file):
            self.part.unlink(missing_ok=True)
            raise TransferError(
                f"is another file, or damaged: {_expectation(self.file)}",
                retry=False,
            )

    def _transfer(self, deadline: float) -> None:
        """Appends to `part` what it lacks; keeps what came when the transfer breaks off."""
        with (
            open(self.part, "ab", opener=open_regular) as part,
            getting(self.url, part.fileno(), self.file.size + _SLACK) as process,
        ):
            outcome = self._watch(process, deadline)
        if "errno" in outcome:
            raise OSError(outcome["errno"], os.strerror(outcome["errno"]))
        if "reason" in outcome:
            raise TransferError(outcome["reason"], outcome.get("retry", True))

    def _watch(self, process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
        """Returns how the process ended, or raises TransferError when it is too slow."""
        started, seen, total = time.monotonic(), self._size(), None
        while True:
            message = next_message(process, _STEP)
            if message and "total" not in message:
                return message
            total = message["total"] if message else total
            now, size = time.monotonic(), self._size()
            seen = min(seen, size)  # all of the file may be sent again
            self.advance(size, total)
            if now >= deadline:
                raise TransferError("took longer than a file of this size may take", retry=False)
            if now - started >= self.limits.window:
                if size - seen < self.limits.min_rate * (now - started):
                    raise TransferError(f"sent {size - seen} bytes in {now - started:.1f} s")
                started, seen = now, size
