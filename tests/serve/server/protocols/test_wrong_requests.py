"""Requests that are wrong: each gets a reason, and the server goes on."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.support.serving import (
    INFER,
    NAME,
    PIXELS,
    PREDICT,
    Server,
    images,
    inference_calls,
    tensor,
)

GOOD = {"inputs": [tensor(images(1))]}
MIB = 2**20


@pytest.fixture(autouse=True)
def goes_on(server: Server) -> Iterator[None]:
    """After each of these, the server answers as before."""
    yield
    answer = server.post(INFER, GOOD)
    assert answer.status == 200, answer.content


def changed(**parts: Any) -> dict[str, Any]:
    return {"inputs": [tensor(images(1)) | parts]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (changed(shape=[1, PIXELS + 1]), "expected shape [images, 12], got [1, 13]"),
        (changed(shape=[2, PIXELS]), "is of 2 images, data of 1"),
        (changed(shape=[PIXELS]), "expected shape [images, 12], got [12]"),
        (changed(shape=[0, PIXELS]), "expected shape"),
        (changed(shape=[-1, PIXELS]), "expected shape"),
        (changed(shape=[True, PIXELS]), "expected shape"),
        (changed(shape="1"), "expected shape"),
        (changed(datatype="FP64"), "expected datatype FP32, got 'FP64'"),
        (changed(datatype="BYTES", data=["a"]), "expected datatype FP32"),
        (changed(name="pixels"), "expected image_floats, got 'pixels'"),
        (changed(data=["1"] * PIXELS), "expected numbers, got str"),
        (changed(data=[1, "A" * MIB] * (PIXELS // 2)), "expected numbers, got str"),
        (changed(data=[True] * PIXELS), "expected numbers, got bool"),
        (changed(data=[None] * PIXELS), "expected numbers, got NoneType"),
        (changed(data=[1] * (PIXELS - 1)), "expected 12 numbers an image, got 11"),
        (changed(data=[[1] * PIXELS, [1]]), "expected rows of 12 numbers"),
        (changed(data=[[[1]] * PIXELS]), "expected numbers, got list"),
        (changed(data=[1e39] * PIXELS), "expected finite numbers"),
        (changed(data=[2**63] * PIXELS, shape=[1, 11]), "expected shape"),
        (changed(data=[]), "expected a list of numbers"),
        (changed(data={"uri": "/etc/passwd"}), "expected a list of numbers, got dict"),
        (changed(data=[0] * PIXELS * 1025, shape=[1025, PIXELS]), "at most 1024 images"),
        ({"inputs": []}, "expected one tensor, image_floats"),
        ({"inputs": [tensor(images(1))] * 2}, "expected one tensor"),
        ({"inputs": [0] * 100_000}, "expected one tensor"),
        ({}, "expected one tensor"),
        (GOOD | {"outputs": [{"name": "weights"}]}, "expected logits, probabilities, class"),
        (GOOD | {"id": 7}, "id: expected a text"),
        (b'{"inputs": [', "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"", "the body is not JSON"),
        (b"[]", "expected an object of JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (json.dumps(changed(data=[float("nan")] * PIXELS)).encode(), "the body is not JSON"),
    ],
)
def test_open_inference_tells_what_is_wrong(server: Server, content: Any, reason: str) -> None:
    answer = server.post(INFER, content)
    assert answer.status == 400 and reason in answer.error, answer.content
    assert len(answer.error) < 400


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"instances": [[1] * 11]}, "expected rows of 12 numbers"),
        ({"instances": [1] * 12}, "one row for each image"),
        ({"instances": []}, "expected a list of numbers"),
        ({"instances": [["1"] * 12]}, "expected numbers, got str"),
        ({"instances": [{"pixels": [1] * 12}]}, "expected image_floats or examples"),
        ({"instances": [{"image_floats": [1] * 12}, 3]}, "expected image_floats or examples"),
        ({"instances": [[1] * 12], "inputs": [[1] * 12]}, "either instances or inputs"),
        ({}, "either instances or inputs"),
        ({"instances": [[1] * 12], "signature_name": "train"}, "expected predict_images or"),
        ({"instances": [[1] * 12], "signature_name": 3}, "signature_name: expected a text"),
        ({"instances": [{"b64": "%%%"}]}, "no serialized tf.Example in base64"),
        ({"instances": [{"b64": "AAAA"}]}, "tf.Example"),
        ({"instances": [{"b64": ""}]}, "expected 12 floats as image_floats, got 0"),
        ({"instances": [[1] * 12], "signature_name": "serving_default"}, "serialized tf.Example"),
    ],
)
def test_tensorflow_serving_s_rest_tells_what_is_wrong(
    server: Server, content: Any, reason: str
) -> None:
    answer = server.post(PREDICT, content)
    assert answer.status == 400 and reason in answer.error, answer.content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/models/other/infer"),
        ("POST", f"/v2/models/{NAME}/versions/7/infer"),
        ("POST", f"/v2/models/{'x' * 3000}/infer"),
        ("POST", "/v1/models/other:predict"),
        ("POST", f"/v1/models/{NAME}/versions/7:predict"),
        ("POST", f"/v1/models/{NAME}:classify"),
        ("GET", "/v1/models/other"),
        ("GET", f"/v1/models/{NAME}/versions/x"),
        ("GET", "/v2/models/other"),
        ("GET", f"/v2/models/{NAME}/versions/7/ready"),
        ("DELETE", f"/v2/models/{NAME}"),
        ("GET", INFER),
        ("POST", "/v2/repository/index"),
        ("POST", f"/v2/repository/models/{NAME}/load"),
        ("POST", f"/v2/repository/models/{NAME}/unload"),
        ("POST", f"/v2/models/{NAME}/infer_stream"),
        ("GET", "/v2/docs"),
        ("GET", f"/v2/models/{NAME}/docs"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/../../etc/passwd"),
        ("GET", "/v2/models/..%2f..%2fetc%2fpasswd"),
        ("GET", "/"),
    ],
)
def test_what_is_not_here_is_not_found(server: Server, method: str, path: str) -> None:
    given = GOOD if path.startswith("/v2") else {"instances": images(1).tolist()}
    body = json.dumps(given).encode() if method == "POST" else None
    answer = server.request(method, path, body)
    assert answer.status in (404, 405), answer.content
    assert 0 < len(answer.error) < 400


def test_names_that_clients_make_up_leave_nothing_in_the_metrics(server: Server) -> None:
    for number in range(50):
        server.post(f"/v2/models/made-up-{number}/infer", GOOD)
        server.post(f"/v2/models/{NAME}/versions/made-up-{number}/infer", GOOD)
        server.get(f"/made-up-{number}")
        server.request(f"MADE-UP-{number}", INFER)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        for path in ("/inference.GRPCInferenceService/made-up", "/made-up/ModelInfer"):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(path)(b"")
    connection = http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        assert "made-up" not in connection.getresponse().read().decode().lower()


GRPC_INPUT = {"name": "image_floats", "datatype": "FP32", "shape": [1, PIXELS]}


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({"model_name": "other"}, "NOT_FOUND", "no model 'other' here"),
        ({"model_version": "7"}, "NOT_FOUND", "has no version '7' here"),
        ({"inputs": []}, "INVALID_ARGUMENT", "expected one tensor"),
        ({"raw_input_contents": [b"123"]}, "INVALID_ARGUMENT", "4 bytes a number"),
        ({"raw_input_contents": [b"1234"]}, "INVALID_ARGUMENT", "expected 12 numbers"),
        ({"raw_input_contents": [b"\xff" * 4 * PIXELS]}, "INVALID_ARGUMENT", "finite numbers"),
        ({"raw_input_contents": [b"", b""]}, "INVALID_ARGUMENT", "one for each"),
        ({"inputs": [GRPC_INPUT | {"datatype": "INT64"}]}, "INVALID_ARGUMENT", "datatype FP32"),
        ({"inputs": [GRPC_INPUT | {"shape": [1]}]}, "INVALID_ARGUMENT", "expected shape"),
        (
            {"inputs": [GRPC_INPUT | {"contents": {"bytes_contents": [b"a"]}}]},
            *("INVALID_ARGUMENT", "expected 12 numbers an image, got 0"),
        ),
        ({"outputs": [{"name": "weights"}]}, "INVALID_ARGUMENT", "expected logits"),
        ({"raw_input_contents": [bytes(5 * MIB)]}, "RESOURCE_EXHAUSTED", "larger than max"),
    ],
)
def test_grpc_tells_what_is_wrong(
    server: Server, fields: dict[str, Any], code: str, reason: str
) -> None:
    fields = {"model_name": NAME, "inputs": [GRPC_INPUT], **fields}
    with inference_calls(server) as call, pytest.raises(grpc.RpcError) as raised:
        call("ModelInfer", **fields)
    assert raised.value.code().name == code and reason in raised.value.details()


def test_by_grpc_no_model_is_loaded(server: Server) -> None:
    with inference_calls(server) as call:
        for method, fields in (
            ("RepositoryModelLoad", {"model_name": NAME}),
            ("RepositoryModelUnload", {"model_name": NAME}),
            ("RepositoryIndex", {}),
        ):
            with pytest.raises(grpc.RpcError) as raised:
                call(method, **fields)
            assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(grpc.RpcError) as raised:
            call("ModelReady", name="other")
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND
