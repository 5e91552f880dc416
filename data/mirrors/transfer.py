"""An HTTP request whose answer comes within limits, whatever the other side does.

urllib limits the time of each read and nothing else: a byte now and then, headers or interim
answers without end, a slow handshake and the resolution of a name may take for ever. So a thread
makes the request, and nobody waits for more of it than comes out of a queue in time.
"""

import http.client
import queue
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any

_CHUNK = 1 << 16
_CHUNKS_AHEAD = 16
_MESSAGE_LENGTH = 200
_RETRIED_CLIENT_ERRORS = {408, 429}


@dataclass(frozen=True)
class Limits:
    """How long a mirror may take for a file before it is given up.

    Attributes:
        window: seconds that may not pass, waiting, with fewer bytes of the content than `min_rate`
            for each of them. The time until the first byte counts.
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

    `retry` says whether another attempt may help, `status` what the server answered, if it did.
    """

    def __init__(self, message: str, retry: bool = True, status: int | None = None) -> None:
        """Takes a message of which a server may have made up any part."""
        super().__init__(_shown(message))
        self.retry = retry
        self.status = status


class Transfer:
    """A request under way; `close` ends it at any time.

    Whatever is wrong with the answer, the server or the way to it becomes a TransferError, in time.
    """

    def __init__(self, request: urllib.request.Request, limits: Limits, deadline: float) -> None:
        """Starts the request.

        Args:
            request: to http:// or https://. Redirections are followed, but not to anything else,
                and not from https:// to http://.
            limits: of these, `window` and `min_rate` are for each request.
            deadline: when all of it has to be over, as `time.monotonic` counts.
        """
        self._limits, self._deadline = limits, deadline
        self._waited, self._came = 0.0, 0
        self._items: queue.Queue[Any] = queue.Queue(_CHUNKS_AHEAD)
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        # A daemon: the resolution of a name cannot be ended.
        threading.Thread(target=self._work, args=(request,), name="transfer", daemon=True).start()

    def answer(self) -> tuple[int, Message]:
        """Returns the status, which is below 300, and the headers; raises TransferError."""
        return self._next()

    def chunks(self) -> Iterator[bytes]:
        """Yields the content as it comes, after `answer`; raises TransferError."""
        while chunk := self._next():
            self._came += len(chunk)
            if time.monotonic() >= self._deadline:
                raise _too_late()
            yield chunk

    def close(self) -> None:
        """Ends the thread and its connection, if they have not come to an end."""
        self._closed.set()
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        with suppress(queue.Empty):  # the thread may be waiting for a place
            while True:
                self._items.get_nowait()

    def __enter__(self) -> "Transfer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self) -> Any:
        """Returns what the thread has put next, or raises it if it is a TransferError."""
        item = None
        while item is None:
            started = time.monotonic()
            wait = min(self._limits.window - self._waited, self._deadline - started)
            with suppress(queue.Empty):
                item = self._items.get(timeout=max(wait, 0))
            now = time.monotonic()
            # The time that others take, as a slow disk does, is not the server's.
            self._waited += now - started
            if item is None and now >= self._deadline:
                raise _too_late()
            if self._waited >= self._limits.window:
                if self._came < self._limits.min_rate * self._waited:
                    raise TransferError(f"sent {self._came} bytes in {self._waited:.1f} s")
                self._waited, self._came = 0.0, 0
        if isinstance(item, TransferError):
            raise item
        return item

    def _put(self, item: Any) -> None:
        if not self._closed.is_set():
            self._items.put(item)

    def _work(self, request: urllib.request.Request) -> None:
        try:
            with _opener(self._connected).open(request, timeout=self._limits.window) as response:
                self._put((response.status, response.headers))
                # read1 hands over what has come, so that a killed program loses little of it.
                while not self._closed.is_set() and (chunk := response.read1(_CHUNK)):
                    self._put(chunk)
            self._put(b"")
        except urllib.error.HTTPError as error:
            error.close()
            retry = error.code >= 500 or error.code in _RETRIED_CLIENT_ERRORS
            self._put(TransferError(f"HTTP {error.code} {error.reason}", retry, error.code))
        # Not even the standard library knows what all an answer may lead to.
        except Exception as error:
            reason = _shown(str(getattr(error, "reason", error)))
            self._put(TransferError(reason or type(error).__name__))

    def _connected(self, *args: Any, **kwargs: Any) -> socket.socket:
        """Connects as `socket.create_connection`, and remembers how to end it."""
        connection = socket.create_connection(*args, **kwargs)
        # A duplicate, since this one is handed on to TLS, to the response, and closed by others.
        self._sockets.append(connection.dup())
        if self._closed.is_set():
            self.close()
        return connection


def _shown(text: str) -> str:
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:_MESSAGE_LENGTH]


def _too_late() -> TransferError:
    return TransferError("took longer than a file of this size may take", retry=False)


class _Redirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        fp.close()  # or urllib would read the rest of it, however much that is
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("https", req.type):
            raise urllib.error.URLError(f"redirects to {scheme}://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(connect: Any) -> urllib.request.OpenerDirector:
    """Returns urllib's opener for http:// and https://, proxies included, which connects so."""

    class PlainConnection(http.client.HTTPConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._create_connection = connect

    class TLSConnection(http.client.HTTPSConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._create_connection = connect

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(PlainConnection, req)

    class TLS(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(TLSConnection, req)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        Plain(),
        TLS(),
        _Redirections(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
