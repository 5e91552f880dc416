"""Requests that are large, slow or many: the server's memory is bounded, and it goes on."""

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import psutil
import pytest

from tests.support.serving import INFER, NAME, PIXELS, Server, images, inference_calls, tensor

GOOD = {"inputs": [tensor(images(1))]}
MIB = 2**20


@pytest.fixture(autouse=True)
def goes_on(server: Server) -> Iterator[None]:
    """After each of these, the server answers as before."""
    yield
    answer = server.post(INFER, GOOD)
    assert answer.status == 200, answer.content


def memory(server: Server) -> int:
    """Bytes of memory that the server has."""
    return psutil.Process(server.process.pid).memory_info().rss


def test_compressed_bodies_are_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(bytes(50 * MIB))
    answer = server.post(INFER, bomb, **{"Content-Encoding": "gzip"})
    assert answer.status == 415 and "Content-Encoding" in answer.error


def sent(server: Server, head: str, chunks: Iterator[bytes]) -> bytes:
    """Sends a request as fast as it is taken; returns what came back until the end."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head.encode() + b"\r\n\r\n")
            for chunk in chunks:
                connection.sendall(chunk)
        with contextlib.suppress(ConnectionError):
            return connection.recv(65_536)
    return b""


def test_100_mb_are_not_taken_however_they_come(server: Server) -> None:
    before = memory(server)
    head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\n"
    megabyte = b" " * MIB
    told = sent(server, f"{head}Content-Length: {100 * MIB}", iter([megabyte] * 100))
    chunk = f"{MIB:x}\r\n".encode() + megabyte + b"\r\n"
    untold = sent(server, f"{head}Transfer-Encoding: chunked", iter([chunk] * 100))
    for answer in (told, untold):
        assert not answer or answer.startswith(b"HTTP/1.1 413")
    long_head = sent(server, f"GET / HTTP/1.1\r\nHost: {'a' * MIB}", iter(()))
    assert not long_head or long_head.startswith(b"HTTP/1.1 4")
    assert memory(server) - before < 64 * MIB


@pytest.mark.parametrize(
    "head",
    ["GET", "GET / HTTP/1.1", "\x00\x01", f"POST {INFER} HTTP/1.1\r\nContent-Length: -1"],
)
def test_what_is_no_http_gets_an_error_and_no_more(server: Server, head: str) -> None:
    answer = sent(server, head, iter(()))
    assert not answer or answer.startswith(b"HTTP/1.1 400")


def closed_after(server: Server, start: bytes, port: int | None = None) -> float:
    """Seconds until the server closes a connection on which a client is slow."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port or server.port), timeout=60) as connection:
        connection.sendall(start)
        with contextlib.suppress(ConnectionError):
            while connection.recv(65_536):
                pass
    return time.monotonic() - begin


def refused_after(server: Server) -> float:
    """Seconds until a call by gRPC is refused whose request does not come."""
    begin, end = time.monotonic(), threading.Event()

    def nothing() -> Iterator[bytes]:
        end.wait(60)
        yield from ()

    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.stream_unary("/inference.GRPCInferenceService/ModelInfer")
        with pytest.raises(grpc.RpcError) as raised:
            call(nothing())
        end.set()
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "the request was not here" in raised.value.details()
    return time.monotonic() - begin


def test_slow_senders_are_closed_and_a_thousand_idle_ones_keep_nobody_out(
    server: Server,
) -> None:
    before = memory(server)
    head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\n".encode()
    starts = [b"", b"GET /v2 HT", head, head + b"Content-Length: 9\r\n\r\n{"]
    with ThreadPoolExecutor(len(starts) + 2) as pool, contextlib.ExitStack() as stack:
        slow = [pool.submit(closed_after, server, start) for start in starts]
        slow.append(pool.submit(closed_after, server, b"", server.grpc_port))
        slow.append(pool.submit(refused_after, server))
        time.sleep(0.5)
        # Its body is on the way, and must arrive though others come and go.
        busy = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        body = json.dumps(GOOD).encode()
        busy.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        for port in (server.port, server.grpc_port):
            for _ in range(1_000):
                with contextlib.suppress(ConnectionError):
                    idle = socket.create_connection(("127.0.0.1", port), timeout=60)
                    stack.enter_context(idle)
        open_files = psutil.Process(server.process.pid).num_fds()
        assert server.post(INFER, GOOD).status == 200
        busy.sendall(body[5:])
        assert busy.recv(65_536).startswith(b"HTTP/1.1 200")
        assert open_files < 1_000
        for one in slow:
            assert one.result() < 60
    with inference_calls(server) as call:
        assert call("ServerLive").live
    assert memory(server) - before < 64 * MIB


def test_many_large_requests_take_no_more_than_their_share_and_none_is_kept(
    server: Server,
) -> None:
    """Those by gRPC are a gigabyte in all."""
    before = memory(server)
    count = MIB // PIXELS
    tensor = {"name": "image_floats", "datatype": "FP32", "shape": [count, PIXELS]}
    numbers = json.dumps({"inputs": [tensor | {"data": [0.5] * (3 * count * PIXELS)}]}).encode()

    def by_grpc(_: int) -> grpc.StatusCode:
        with inference_calls(server) as call, pytest.raises(grpc.RpcError) as raised:
            raw = [bytes(4 * count * PIXELS)]
            call("ModelInfer", model_name=NAME, inputs=[tensor], raw_input_contents=raw)
        return raised.value.code()

    def by_rest(_: int) -> int:
        with contextlib.suppress(ConnectionError):
            return server.post(INFER, numbers).status
        return 0

    with ThreadPoolExecutor(16) as pool:
        codes = set(pool.map(by_grpc, range(256)))
        statuses = set(pool.map(by_rest, range(16)))
    assert codes <= {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert statuses <= {0, 400, 503}
    assert memory(server) - before < 768 * MIB


def test_bodies_that_never_end_on_every_connection_keep_nobody_out(server: Server) -> None:
    head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{{".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            with contextlib.suppress(ConnectionError):
                slow = socket.create_connection(("127.0.0.1", server.port), timeout=60)
                stack.enter_context(slow).sendall(head)
        assert server.post(INFER, GOOD).status == 200


def test_clients_that_go_away_leave_nothing_in_the_log(server: Server) -> None:
    before = server.log
    for start in (b"GET", b"POST /v2/models HTTP/1.1\r\nContent-Length: 9\r\nHost: a\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(start)
    server.post(INFER, b"{")
    assert server.get("/v2/health/live").status == 200
    assert server.log == before


def test_a_message_by_grpc_is_not_unpacked(server: Server) -> None:
    before = memory(server)
    with inference_calls(server) as call, pytest.raises(grpc.RpcError):
        call(
            "ModelInfer",
            compression=grpc.Compression.Gzip,
            model_name=NAME,
            inputs=[{"name": "image_floats", "datatype": "FP32", "shape": [1, PIXELS]}],
            raw_input_contents=[bytes(100 * MIB)],
        )
    assert memory(server) - before < 64 * MIB
