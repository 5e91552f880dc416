"""mlserver's gRPC server: the Open Inference Protocol without what changes models."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import numpy as np
from mlserver.errors import InferenceError, MLServerError
from mlserver.grpc import GRPCServer
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from mlserver.grpc.interceptors import PromServerInterceptor
from mlserver.grpc.servicers import InferenceServicer
from mlserver.settings import Settings

from serve.server import limits
from serve.server.inference import LeasedDataPlane
from serve.server.model.saved_model import SavedModel
from serve.server.protocols import open_inference

_log = logging.getLogger(__name__)
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_FLOATS = np.dtype("<f4")  # of raw contents
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # or a second server would share the port without a word
    ("grpc.max_receive_message_length", limits.MAX_GRPC_BYTES),
    ("grpc.max_metadata_size", limits.MAX_HEAD_BYTES),
    ("grpc.per_message_decompression", 0),  # a few bytes may unpack to any number of them
    ("grpc.max_allowed_incoming_connections", limits.MAX_CONNECTIONS),
    ("grpc.max_concurrent_streams", limits.MAX_GRPC_CALLS),
    ("grpc.server_handshake_timeout_ms", limits.HEAD_SECONDS * 1000),
    ("grpc.max_connection_idle_ms", limits.KEEP_ALIVE_SECONDS * 1000),
    ("grpc.max_connection_age_ms", limits.GRPC_CONNECTION_SECONDS * 1000),
    ("grpc.max_connection_age_grace_ms", limits.GRPC_GRACE_SECONDS * 1000),
)


class LimitedGRPCServer(GRPCServer):
    """It offers no service but inference."""

    def __init__(self, settings: Settings, data_plane: LeasedDataPlane):
        super().__init__(settings, data_plane, None)

    def _create_server(self) -> grpc.aio.Server:
        self._server = grpc.aio.server(
            interceptors=[PromServerInterceptor(enable_handling_time_histogram=True), _InTime()],
            options=_OPTIONS,
            maximum_concurrent_rpcs=limits.MAX_GRPC_CALLS,
        )
        add_GRPCInferenceServiceServicer_to_server(_Servicer(self._data_plane), self._server)
        host = self._settings.host
        address = f"[{host}]" if ":" in host else host
        self._server.add_insecure_port(f"{address}:{self._settings.grpc_port}")
        return self._server


class _InTime(grpc.aio.ServerInterceptor):
    """Waits for a request's message, but not without end, as the library does by itself.

    The library keeps what ended a call until Python next looks for garbage, with all that the calls
    of functions which led there hold. So none of those holds a message by then.
    """

    async def intercept_service(
        self,
        continuation: Callable[..., Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Has a method of one request take it from a stream, which is the same to clients."""
        handler = await continuation(details)
        if handler is None or handler.request_streaming:
            return handler

        async def in_time(_: AsyncIterator[Any], context: grpc.aio.ServicerContext) -> Any:
            received = []
            try:
                async with asyncio.timeout(limits.BODY_SECONDS):
                    received.append(await context.read())
            except TimeoutError:
                reason = f"the request was not here after {limits.BODY_SECONDS} s"
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, reason)
            if received[0] is grpc.aio.EOF:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected a request")
            return await handler.unary_unary(received.pop(), context)

        return grpc.stream_unary_rpc_method_handler(
            in_time, handler.request_deserializer, handler.response_serializer
        )


def _told(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Decorates a method of the service: it ends with a status and a reason."""

    async def told(self: "_Servicer", request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await method(self, request, context)
        except MLServerError as error:
            code = _CODES.get(error.status_code, grpc.StatusCode.UNKNOWN)
            reason = str(error)
        except Exception:
            _log.exception("a request by gRPC failed")
            code, reason = grpc.StatusCode.INTERNAL, "the server failed; its log says why"
        del request
        await context.abort(code, reason)

    return told


async def _refused(self: "_Servicer", request: Any, context: grpc.aio.ServicerContext) -> Any:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "versions come from the folder alone")


async def _refused_stream(
    self: "_Servicer", requests: Any, context: grpc.aio.ServicerContext
) -> Any:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "answers are not streamed: use ModelInfer")
    yield


class _Servicer(InferenceServicer):
    """mlserver's, whose own answers to wrong requests go to the log with all that led there."""

    def __init__(self, data_plane: LeasedDataPlane):
        super().__init__(data_plane, None)
        self._leased = data_plane

    RepositoryIndex = RepositoryModelLoad = RepositoryModelUnload = _refused
    ModelStreamInfer = _refused_stream
    ModelMetadata = _told(InferenceServicer.ModelMetadata)
    ModelReady = _told(InferenceServicer.ModelReady)

    @_told
    async def ModelInfer(  # noqa: N802 - the service's name
        self, request: pb.ModelInferRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelInferResponse:
        """Answers a request, in raw contents where it came in such."""
        is_raw = bool(request.raw_input_contents)
        outputs: list[str] = []

        def read(model: SavedModel) -> np.ndarray:
            wanted = [{"name": output.name} for output in request.outputs]
            outputs.extend(open_inference.outputs_of(wanted, model))
            return open_inference.images_of(_inputs(request), model)

        answer = await self._leased.answer(request.model_name, request.model_version, read)
        response = pb.ModelInferResponse(
            model_name=request.model_name, model_version=answer.version, id=request.id
        )
        arrays = open_inference.arrays(answer.logits, outputs)
        for tensor in open_inference.tensors(arrays):
            data = tensor.pop("data")
            added = response.outputs.add(**tensor)
            if is_raw:
                response.raw_output_contents.append(data.tobytes())
            elif data.dtype == np.float32:
                added.contents.fp32_contents.extend(data)
            else:
                added.contents.int64_contents.extend(data)
        return response


def _inputs(request: pb.ModelInferRequest) -> list[dict[str, Any]]:
    """Returns a request's inputs as JSON would have them, with arrays for data."""
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise InferenceError("raw_input_contents: expected one for each of the inputs")
    found = []
    for index, tensor in enumerate(request.inputs):
        if raw and len(raw[index]) % _FLOATS.itemsize:
            raise InferenceError(f"raw_input_contents: expected {_FLOATS.itemsize} bytes a number")
        data = np.frombuffer(raw[index], _FLOATS) if raw else tensor.contents.fp32_contents
        found.append(
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": list(tensor.shape),
                "data": np.asarray(data, np.float32),
            }
        )
    return found
