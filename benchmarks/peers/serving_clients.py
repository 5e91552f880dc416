"""Clients of a model server, by REST and gRPC, each with a connection of its own."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc
import numpy as np
import orjson

from tests.support.serving import inference_messages

REST, GRPC = "REST", "gRPC"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_METHOD = "/inference.GRPCInferenceService/ModelInfer"


@dataclass(frozen=True)
class Reply:
    """The answer to one image: the version that gave it, and its logits float32[classes]."""

    version: str
    logits: np.ndarray


class RequestError(Exception):
    """A request got another answer than logits; the message is short, so that it can be counted."""


# Asks for the answer to the image of a number.
_Ask = Callable[[int], "asyncio.Future[Reply]"]


@dataclass
class Load:
    """What clients got.

    Attributes:
      seconds: of each request that was answered.
      failures: how many requests failed, by the reason.
      replies: of each request, by its number, where they are kept.
      time: that all of it took.
    """

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    replies: dict[int, Reply] = field(default_factory=dict)
    time: float = 0.0

    def summary(self) -> dict[str, float]:
        """Returns requests a second, and milliseconds that half and 99% of them took at most."""
        p50, p99 = np.percentile(self.seconds, [50, 99]) * 1e3
        return {
            "requests_per_second": round(len(self.seconds) / self.time, 1),
            "p50_ms": round(float(p50), 2),
            "p99_ms": round(float(p99), 2),
            "failures": self.failures.total(),
        }


@dataclass(frozen=True)
class Address:
    """Where a server is, the model's name, and the images that clients send, float32[N, pixels]."""

    port: int
    grpc_port: int
    model: str
    images: np.ndarray


async def run_clients(
    address: Address,
    protocols: list[str],
    numbers: Iterator[int],
    keep: bool = False,
    on_number: Callable[[int], None] = lambda number: None,
) -> Load:
    """Has clients ask, each for one image after the other, until there are no more numbers.

    Args:
      address: of the server.
      protocols: REST or GRPC, for each client.
      numbers: of the requests, which the clients share; its remainder names the image.
      keep: whether to keep the replies.
      on_number: is told of every request before it is sent.
    """
    load = Load()

    async def client(ask: _Ask) -> None:
        for number in numbers:
            on_number(number)
            start = time.perf_counter()
            try:
                reply = await ask(number % len(address.images))
            except (RequestError, OSError, asyncio.IncompleteReadError) as error:
                load.failures[f"{type(error).__name__}: {error}"] += 1
                continue
            load.seconds.append(time.perf_counter() - start)
            if keep:
                load.replies[number] = reply

    async with AsyncExitStack() as stack:
        opened = {REST: _by_rest, GRPC: _by_grpc}
        clients = [await stack.enter_async_context(opened[each](address)) for each in protocols]
        start = time.perf_counter()
        await asyncio.gather(*(client(ask) for ask in clients))
        load.time = time.perf_counter() - start
    return load


@asynccontextmanager
async def _by_rest(address: Address) -> AsyncIterator[_Ask]:
    requests = [_rest_request(address, image) for image in address.images]
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)

    async def ask(index: int) -> Reply:
        writer.write(requests[index])
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(_LENGTH.search(head)[1]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RequestError(f"status {head[9:12].decode()}")
        answer = orjson.loads(body)
        return Reply(answer["model_version"], np.array(answer["outputs"][0]["data"], np.float32))

    try:
        yield ask
    finally:
        writer.close()


def _rest_request(address: Address, image: np.ndarray) -> bytes:
    tensor = {"name": "image_floats", "datatype": "FP32", "shape": [1, len(image)], "data": image}
    body = orjson.dumps(
        {"inputs": [tensor], "outputs": [{"name": "logits"}]}, option=orjson.OPT_SERIALIZE_NUMPY
    )
    head = (
        f"POST /v2/models/{address.model}/infer HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def _by_grpc(address: Address) -> AsyncIterator[_Ask]:
    pb = inference_messages()
    requests = [
        pb.ModelInferRequest(
            model_name=address.model,
            inputs=[{"name": "image_floats", "datatype": "FP32", "shape": [1, len(image)]}],
            outputs=[{"name": "logits"}],
            raw_input_contents=[image.tobytes()],
        )
        for image in address.images
    ]
    # Or channels to one address share a connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    target = f"127.0.0.1:{address.grpc_port}"
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        call = channel.unary_unary(
            _METHOD, pb.ModelInferRequest.SerializeToString, pb.ModelInferResponse.FromString
        )

        async def ask(index: int) -> Reply:
            try:
                answer = await call(requests[index], timeout=60)
            except grpc.aio.AioRpcError as error:
                raise RequestError(error.code().name) from error
            logits = np.frombuffer(answer.raw_output_contents[0], np.float32)
            return Reply(answer.model_version, logits)

        yield ask
