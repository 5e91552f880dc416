"""Mirrors whose answers come to no end: each delivers in time, or is given up."""

import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.catalogue import CatalogueEntry
from data.forms.idx_names import FILE_NAMES
from data.mirrors.download import DownloadError, answering_mirrors, download, missing_files
from data.mirrors.fetch import Limits, getting, next_message
from tests.data.mirrors.raw_server import (
    LIMITS,
    OK,
    Answer,
    Raw,
    reason_of,
    says,
    says_and_stays,
    without_end,
)

Serve = Callable[[dict[str, bytes]], Any]  # to conftest's Mirror


SLOW_ANSWERS = {
    "silence": says_and_stays(b""),
    "silence after headers": says_and_stays(OK + b"Content-Length: 1000\r\n\r\n"),
    "interim answers": without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a byte of a header": without_end(OK + b"X: ", b"y", 0.05),
    "a byte of the content": without_end(OK + b"\r\n", b"y", 0.05),
    "trailers": without_end(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "content of a redirection": without_end(
        b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n", b"x" * 65_536, 0.01
    ),
}


@pytest.mark.parametrize("name", SLOW_ANSWERS)
def test_an_answer_that_does_not_come_to_its_end(
    name: str, entry: CatalogueEntry, target: Path, raw: Raw
) -> None:
    reason = reason_of(entry, target, raw(SLOW_ANSWERS[name]))
    expected = "infinite loop" if "redirection" in name else r"^(sent \d+ bytes in 0\.|timed out)"
    assert re.search(expected, reason), reason


def test_the_time_for_a_whole_file_is_limited(
    entry: CatalogueEntry, target: Path, raw: Raw
) -> None:
    """Over all attempts, however steadily it comes, and longer for a larger file."""
    limits = Limits(window=30, min_rate=0, base=0.2, size_rate=1e9)
    address = raw(without_end(OK + b"\r\n", b"y", 0.02))
    assert "took longer" in reason_of(entry, target, address, limits=limits)
    cut = raw(says(OK + b"Content-Length: 1000\r\n\r\nxyz"))
    with pytest.raises(DownloadError, match="took longer"):
        download(entry, target, [cut], attempts=10**6, backoff=0, limits=limits)
    assert Limits(base=60, size_rate=100).seconds(1000) == 70


def test_steady_and_slow_is_fast_enough(
    entry: CatalogueEntry, target: Path, raw: Raw, compressed: dict[str, bytes]
) -> None:
    """Longer than a window in all, and never too little in one."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(OK + b"\r\n")
        for part in (first[:5000], first[5000:10_000], first[10_000:]):
            connection.sendall(part)
            time.sleep(0.25)

    first = compressed[f"{FILE_NAMES[0]}.gz"]
    one = replace(entry, files=entry.files[:1])
    limits = Limits(window=0.4, min_rate=5000)
    download(one, target, [raw(answer)], attempts=1, limits=limits)
    assert missing_files(one, target) == []


def test_a_connection_that_stays_open_after_the_content(
    entry: CatalogueEntry, target: Path, raw: Raw, compressed: dict[str, bytes]
) -> None:
    """All is there, though the server never says so."""
    answers = iter([compressed[f"{name}.gz"] for name in FILE_NAMES])
    address = raw(lambda connection: says_and_stays(OK + b"\r\n" + next(answers))(connection))
    download(entry, target, [address], attempts=1, backoff=0, limits=LIMITS)
    assert missing_files(entry, target) == []


@pytest.mark.parametrize(
    "answer",
    [says_and_stays(b""), without_end(b"\x16\x03\x03\x40\x00", b"\0", 0.05)],
    ids=["silence", "a byte of a handshake"],
)
def test_tls_that_is_never_agreed_on(
    answer: Answer, entry: CatalogueEntry, target: Path, raw: Raw
) -> None:
    address = raw(answer).replace("http", "https")
    assert re.search(r"^(sent 0 bytes|.*timed out)", reason_of(entry, target, address))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "answer", [says_and_stays(b""), without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n")]
)
def test_a_proxy_that_never_answers(
    scheme: str,
    answer: Answer,
    entry: CatalogueEntry,
    target: Path,
    raw: Raw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", raw(answer))
    assert re.search(
        "sent 0 bytes|timed out|100", reason_of(entry, target, f"{scheme}://mirror.invalid/")
    )


def test_who_answers_is_known_in_time(
    entry: CatalogueEntry, raw: Raw, serve: Serve, compressed: dict[str, bytes]
) -> None:
    hostile = [raw(answer) for answer in SLOW_ANSWERS.values()]
    good = serve(compressed).address
    found = answering_mirrors(entry, [*hostile, good], seconds=0.5)
    assert good in found and not {hostile[0], hostile[2], hostile[3]} & {*found}


def test_no_more_is_fetched_than_is_taken(raw: Raw) -> None:
    """Where the disk is slower than the network."""
    sent = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(OK + b"\r\n")
        while True:
            sent.append(connection.send(b"x" * 65_536))

    taken, filled = os.pipe()  # in the place of a file on such a disk
    with getting(raw(answer), filled, 1 << 40) as process:
        assert next_message(process, 60) == {"total": None}
        seen = -1
        while sum(sent) > seen:  # until the server has to wait
            seen = sum(sent)
            time.sleep(0.2)
        assert seen < 50 << 20
        assert os.read(taken, 1)
    os.close(taken)
    os.close(filled)


def test_two_downloads_at_once(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    """The second one waits, instead of adding to the same part."""
    first, second = serve(compressed), serve(compressed)
    first.stall_after = 1000
    threads = [
        threading.Thread(target=download, args=(entry, target, [mirror.address]), daemon=True)
        for mirror in (first, second)
    ]
    threads[0].start()
    while not first.requests:
        time.sleep(0.01)
    threads[1].start()
    time.sleep(0.3)
    assert second.requests == []
    first.stall_after = None
    first.release.set()
    for thread in threads:
        thread.join(60)
    assert missing_files(entry, target) == [] and second.requests == []
