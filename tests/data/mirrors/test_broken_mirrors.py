"""Mirrors whose answers are broken: the next one is taken, or a reason is given."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from data.catalogue import CATALOGUE, CatalogueEntry
from data.forms.idx_names import FILE_NAMES
from data.mirrors.download import download, missing_files
from data.mirrors.get import Redirections
from data.resolve import resolve_dataset
from tests.data.mirrors.raw_server import (
    LIMITS,
    OK,
    REDIRECTION,
    Answer,
    Raw,
    reason_of,
    says,
    says_and_stays,
    without_end,
)

Serve = Callable[[dict[str, bytes]], Any]  # to conftest's Mirror


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(b""), "closed"),
        (says(b"\0" * 100), r"\S"),
        (says(b"HTTP/1.1 abc OK\r\n\r\n"), r"\S"),
        (says(b"HTTP/1.1 404 " + b"\x1b[2Jgo away " * 1000 + b"\r\n\r\n"), r"^HTTP 404 .{9,200}$"),
        (says(b"HTTP/1.1 204 No Content\r\n\r\n"), "is another file"),
        (says(OK + b"Content-Length: abc\r\n\r\n"), "Content-Length that is no number: abc"),
        (says(OK + b"Content-Length: -5\r\n\r\n"), "Content-Length that is no number: -5"),
        (says(OK + b"Content-Length: 5, 5\r\n\r\n"), "Content-Length that is no number"),
        (says(OK + b"Content-Length: " + b"9" * 60 + b"\r\n\r\n"), "no number: 9"),
        (says_and_stays(OK + b"Content-Length: 99999999999\r\n\r\n"), "sent more than"),
        (says(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), "more than 65536 bytes"),
        (says(OK + b"X: y\r\n" * 200 + b"\r\n"), "more than 100 headers"),
        (says(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), "IncompleteRead"),
        (says(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n"), r"\S"),
        (says(REDIRECTION % b"http://[::1"), "Invalid IPv6"),
        (says(REDIRECTION % b"http://127.0.0.1:port/"), "nonnumeric port"),
        (says(REDIRECTION % b"http://127.0.0.1:99999999/"), r"\S"),
        (says(REDIRECTION % (b"http://" + b"x" * 300)), r"\S"),
        (says(REDIRECTION % b"file:///etc/passwd"), "not allowed"),
        (says(REDIRECTION % b"data:text/plain,x"), "not allowed"),
        (says(REDIRECTION % b"ftp://127.0.0.1/x"), "redirects to ftp://"),
        (says(REDIRECTION % b"/again"), "infinite loop"),
        (says(b"HTTP/1.1 302 Found\r\n\r\n"), "HTTP 302"),
        (without_end(OK + b"\r\n", b"x" * 65_536), "sent more than"),
    ],
)
def test_broken_answers(
    answer: Answer, reason: str, entry: CatalogueEntry, target: Path, raw: Raw
) -> None:
    found = reason_of(entry, target, raw(answer))
    assert re.search(reason, found), found
    assert found.isprintable()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 500-999/1000\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: nonsense\r\n",
        OK + b"Content-Range: bytes 1000-\r\n",
    ],
)
def test_a_part_is_only_added_to_when_the_rest_was_sent(
    head: bytes,
    entry: CatalogueEntry,
    target: Path,
    raw: Raw,
    compressed: dict[str, bytes],
    serve: Serve,
) -> None:
    first = compressed[f"{FILE_NAMES[0]}.gz"]
    target.mkdir(parents=True)
    (target / f"{FILE_NAMES[0]}.gz.part").write_bytes(first[:1000])
    good = serve(compressed)
    download(
        entry, target, [raw(says(head + b"\r\n" + first)), good.address], attempts=1, limits=LIMITS
    )
    assert FILE_NAMES[0] not in str(good.gets())


def test_no_way_back_from_https() -> None:
    request = urllib.request.Request("https://mirror.invalid/")
    redirect = Redirections().redirect_request
    with pytest.raises(urllib.error.URLError, match="redirects to http://"):
        redirect(request, BytesIO(), 302, "Found", Message(), "http://mirror.invalid/")
    again = redirect(request, BytesIO(), 302, "Found", Message(), "https://other.invalid/")
    assert again is not None and again.full_url == "https://other.invalid/"


@pytest.mark.parametrize(
    "answer",
    [
        says(OK + b"Content-Length: abc\r\n\r\n"),
        says(REDIRECTION % b"http://[::1"),
        without_end(OK + b"\r\n", b"y", 0.05),
    ],
)
def test_the_next_mirror_is_taken(
    answer: Answer,
    entry: CatalogueEntry,
    target: Path,
    raw: Raw,
    serve: Serve,
    compressed: dict[str, bytes],
) -> None:
    mirrors = [raw(answer), serve(compressed).address]
    download(entry, target, mirrors, attempts=1, backoff=0, limits=LIMITS)
    assert missing_files(entry, target) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(OK + b"Content-Length: abc\r\n\r\n"), "Content-Length"),
        (says(REDIRECTION % b"http://[::1"), "no mirror answered"),
    ],
)
def test_auto_takes_the_digits(
    answer: Answer,
    reason: str,
    entry: CatalogueEntry,
    tmp_path: Path,
    raw: Raw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(CATALOGUE, "mnist", entry)
    files = resolve_dataset("auto", None, tmp_path, [raw(answer)])
    assert files.is_fallback and reason in files.source
