"""Servers on the loopback interface that answer with any bytes, and with any pauses."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data.catalogue import CatalogueEntry
from data.mirrors.download import DownloadError, download
from data.mirrors.fetch import Limits

Answer = Callable[[socket.socket], None]
Raw = Callable[[Answer], str]
LIMITS = Limits(window=0.3, min_rate=1000, base=2, size_rate=1e9)
OK = b"HTTP/1.1 200 OK\r\n"
REDIRECTION = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n"


def says(text: bytes) -> Answer:
    """Sends this, and closes the connection."""
    return lambda connection: connection.sendall(text)


def says_and_stays(text: bytes) -> Answer:
    """Sends this, and leaves the connection open until the other side closes it."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(text)
        connection.recv(1)

    return answer


def without_end(start: bytes, again: bytes, seconds: float = 0.0) -> Answer:
    """Sends `start`, then `again` until the other side closes the connection."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(again)
            time.sleep(seconds)

    return answer


@contextlib.contextmanager
def raw_servers() -> Iterator[Raw]:
    """Starts servers that answer each request with the bytes of a function.

    After the test, every connection has been closed by the client.
    """
    stopped = threading.Event()
    acceptors: list[threading.Thread] = []
    threads: list[threading.Thread] = []

    def serve(answer: Answer, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            answer(connection)

    def accept(answer: Answer, listener: socket.socket) -> None:
        with listener:
            while not stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    connection = listener.accept()[0]
                    threads.append(
                        threading.Thread(target=serve, args=(answer, connection), daemon=True)
                    )
                    threads[-1].start()

    def start(answer: Answer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)  # to see that it is stopped
        acceptors.append(threading.Thread(target=accept, args=(answer, listener), daemon=True))
        acceptors[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    stopped.set()
    for thread in acceptors:
        thread.join(10)
    for thread in threads:  # all of them are known, now that nothing is accepted
        thread.join(10)
    assert not [thread for thread in threads if thread.is_alive()]


def reason_of(entry: CatalogueEntry, target: Path, *mirrors: str, limits: Limits = LIMITS) -> str:
    """Returns why no mirror delivered."""
    with pytest.raises(DownloadError) as caught:
        download(entry, target, mirrors, attempts=1, backoff=0, limits=limits)
    return caught.value.reason.partition(": ")[2]
