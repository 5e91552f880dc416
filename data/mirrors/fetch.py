"""One file from one mirror: attempts, resumption, and what an answer has to be."""

import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.catalogue import CatalogueFile
from data.forms.checksums import has_sha256
from data.forms.decompressed import open_regular
from data.mirrors.transfer import Limits, Transfer, TransferError

# gzip makes bytes that do not compress only a little larger; anything beyond is another file.
_SLACK = 1 << 16
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416
Advance = Callable[[int, int | None], None]  # bytes so far, bytes in all


def is_right(path: Path | None, file: CatalogueFile) -> bool:
    """Whether `path` holds `file`, plain or gzipped."""
    return path is not None and has_sha256(path, file.sha256, file.size)


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
                if resumed and not self.part.exists():
                    continue
                # It may all be there, and only the end of the answer missing.
                if is_right(self.part, self.file):
                    return
                if not error.retry or attempt >= attempts:
                    raise
                time.sleep(backoff * 2 ** (attempt - 1))
                attempt += 1

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _verify(self) -> None:
        if not is_right(self.part, self.file):
            self.part.unlink(missing_ok=True)
            raise TransferError(
                "is another file, or damaged: the SHA-256 of what it holds is not "
                f"{self.file.sha256}",
                retry=False,
            )

    def _transfer(self, deadline: float) -> None:
        """Appends to `part` what it lacks; keeps what came when the transfer breaks off."""
        size, limit = self._size(), self.file.size + _SLACK
        headers = {"Range": f"bytes={size}-"} if size else {}
        request = urllib.request.Request(self.url, headers=headers)
        with Transfer(request, self.limits, deadline) as transfer:
            try:
                status, answer = transfer.answer()
            except TransferError as error:
                if error.status == _RANGE_NOT_SATISFIABLE:
                    self.part.unlink(missing_ok=True)
                raise
            sent = answer.get("Content-Range", "")
            # A server that ignores Range sends all of the file.
            if status != _PARTIAL_CONTENT or not sent.startswith(f"bytes {size}-"):
                size = 0
            length = _length(answer.get("Content-Length"))
            total = None if length is None else size + length
            if total is not None and total > limit:
                raise _too_long(limit)
            with open(self.part, "ab" if size else "wb", opener=open_regular) as target:
                for chunk in transfer.chunks():
                    size += target.write(chunk)
                    self.advance(size, total)
                    if size > limit:
                        self.part.unlink()
                        raise _too_long(limit)
        if total is not None and size < total:
            raise TransferError(f"closed the connection after {size} of {total} bytes")


def _length(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"\s*\d{1,18}\s*", text, re.ASCII):
        raise TransferError(f"sent a Content-Length that is no number: {text}", retry=False)
    return int(text)


def _too_long(limit: int) -> TransferError:
    return TransferError(f"sent more than {limit} bytes, this is another file", retry=False)
