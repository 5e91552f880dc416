"""Limits on what comes by HTTP: on time, on connections, and on bodies before an app sees them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from serve.server import limits

_METHODS = ("GET", "HEAD", "POST")
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def config(app: _App, host: str, port: int) -> uvicorn.Config:
    """Returns how uvicorn is to run an app within the limits."""
    return uvicorn.Config(
        LimitedBodies(app),
        host=host,
        port=port,
        http=LimitedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=limits.DRAIN_SECONDS,
        h11_max_incomplete_event_size=limits.MAX_HEAD_BYTES,
    )


class Server(uvicorn.Server):
    """uvicorn's, which leaves signals to us: there are two of them, and gRPC's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class LimitedProtocol(H11Protocol):
    """A connection that is closed when its client is slow, or when there are too many.

    uvicorn itself waits without end for the headers of a request, and for a client to read.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether it has no request that is to be answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _may_go(self) -> bool:
        """Whether nobody waits for an answer on it, but at most sends a request."""
        return self.is_idle or self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Takes a connection, for which one that is idle may have to go."""
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._await_head()
        if len(self.connections) > limits.MAX_CONNECTIONS:
            others = [one for one in self.connections if one is not self and one._may_go]
            # First those without a request, of which the longest idle one.
            gone = min(others, key=lambda one: (not one.is_idle, one._idle_since), default=self)
            gone.transport.abort()
            self.connections.discard(gone)  # it tells us later, and more may come before

    def data_received(self, data: bytes) -> None:
        """Reads on; from its first byte, a request has so long for its headers."""
        super().data_received(data)
        if not self.is_idle:
            self._end_head_timer()
        elif self._head_timer is None:
            self._await_head()

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of the timers."""
        self._end_head_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Waits for the client to read, but not for long."""
        super().pause_writing()
        self._read_timer = self.loop.call_later(limits.READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Goes on writing."""
        super().resume_writing()
        if self._read_timer:
            self._read_timer.cancel()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(limits.HEAD_SECONDS, self.transport.abort)

    def _end_head_timer(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None


class LimitedBodies:
    """An ASGI app that gives another one requests whose bodies are here, and not too large."""

    def __init__(self, app: _App):
        self._app = app
        self._bytes = 0  # of all bodies that are here

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answers a request, as the app does or with the reason why not."""
        body = bytearray()
        try:
            if refusal := _refusal_by_head(scope):
                await _refuse(send, *refusal)
                return
            try:
                async with asyncio.timeout(limits.BODY_SECONDS):
                    refusal = await self._receive_body(receive, body)
            except TimeoutError:
                refusal = 408, f"the body was not here after {limits.BODY_SECONDS} s"
            except ConnectionResetError:
                return
            if refusal:
                await _refuse(send, *refusal)
                return
            await self._app(scope, _given(bytes(body), receive), send)
        finally:
            self._bytes -= len(body)

    async def _receive_body(self, receive: _Receive, body: bytearray) -> tuple[int, str] | None:
        """Fills `body`; returns a status and a reason where it will not do.

        Raises:
          ConnectionResetError: the client is gone.
        """
        is_more = True
        while is_more:
            message = await receive()
            if message["type"] != "http.request":
                raise ConnectionResetError
            chunk = message.get("body", b"")
            if len(body) + len(chunk) > limits.MAX_BODY_BYTES:
                return _too_large()
            if self._bytes + len(chunk) > limits.MAX_BODIES_BYTES:
                return 503, "other requests take all the space that there is; try again"
            body += chunk
            self._bytes += len(chunk)
            is_more = message.get("more_body", False)
        return None


def _refusal_by_head(scope: _Message) -> tuple[int, str] | None:
    # Of any other name that a client makes up, mlserver's metrics would keep a series.
    if scope["method"] not in _METHODS:
        return 405, f"expected one of the methods {', '.join(_METHODS)}"
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limits.MAX_BODY_BYTES:
        return _too_large()
    # A few bytes may unpack to any number of them.
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return 415, "Content-Encoding: expected none, since compressed bodies are not taken"
    return None


def _too_large() -> tuple[int, str]:
    return 413, f"the body is larger than {limits.MAX_BODY_BYTES} bytes"


async def _refuse(send: _Send, status: int, reason: str) -> None:
    # What is left of the body is not read, so the connection is of no use any more.
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"error": reason})})


def _given(body: bytes, receive: _Receive) -> _Receive:
    """Returns what gives the body as one message, and then what else comes."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> _Message:
        return messages.pop() if messages else await receive()

    return give
