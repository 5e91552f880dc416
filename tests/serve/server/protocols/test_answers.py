"""What clients of either protocol get for good requests."""

import base64
import re
import urllib.error
import urllib.request

import numpy as np
import psutil
import pytest
import tensorflow as tf

from tests.support.serving import (
    CLASSES,
    INFER,
    NAME,
    PIXELS,
    PREDICT,
    Server,
    images,
    inference_calls,
    tensor,
)


def version_of(server: Server) -> str:
    """The version that is served."""
    return server.get(f"/v2/models/{NAME}").content["versions"][0]


def expected(given: np.ndarray, server: Server) -> np.ndarray:
    """The logits for images; the mark of the version is asked for."""
    answer = server.post(INFER, {"inputs": [tensor(images(1))]})
    mark = answer.content["outputs"][0]["data"][1]
    sums = given.sum(axis=1)
    return np.stack([sums, np.full_like(sums, mark), np.zeros_like(sums)], axis=1)


def test_open_inference_by_rest(server: Server) -> None:
    given = images(3)
    answer = server.post(INFER, {"id": "mine", "inputs": [tensor(given)]})
    assert answer.status == 200 and answer.content["id"] == "mine"
    assert answer.content["model_name"] == NAME
    assert answer.content["model_version"] == version_of(server) == answer.headers["model-version"]
    outputs = {one["name"]: one for one in answer.content["outputs"]}
    assert [(name, one["datatype"], one["shape"]) for name, one in outputs.items()] == [
        ("logits", "FP32", [3, CLASSES]),
        ("probabilities", "FP32", [3, CLASSES]),
        ("class", "INT64", [3]),
    ]
    logits = expected(given, server)
    np.testing.assert_allclose(np.reshape(outputs["logits"]["data"], (3, -1)), logits, rtol=1e-6)
    np.testing.assert_allclose(
        np.reshape(outputs["probabilities"]["data"], (3, -1)), tf.nn.softmax(logits), rtol=1e-5
    )
    assert outputs["class"]["data"] == logits.argmax(axis=1).tolist()


def test_rows_of_numbers_a_chosen_output_and_a_chosen_version(server: Server) -> None:
    given = images(2)
    request = {
        "inputs": [tensor(given) | {"data": given.tolist()}],
        "outputs": [{"name": "class"}],
    }
    path = f"/v2/models/{NAME}/versions/{version_of(server)}/infer"
    answer = server.post(path, request)
    assert [one["name"] for one in answer.content["outputs"]] == ["class"]
    assert "id" not in answer.content


@pytest.mark.parametrize("is_raw", [True, False])
def test_open_inference_by_grpc(server: Server, is_raw: bool) -> None:
    given = images(3)
    inputs = {"name": "image_floats", "datatype": "FP32", "shape": given.shape}
    if not is_raw:
        inputs["contents"] = {"fp32_contents": given.ravel()}
    raw = [given.tobytes()] if is_raw else []
    with inference_calls(server) as call:
        answer = call(
            "ModelInfer", model_name=NAME, inputs=[inputs], raw_input_contents=raw, id="mine"
        )
        live, ready = call("ServerLive"), call("ServerReady")
        assert call("ModelReady", name=NAME).ready and live.live and ready.ready
        metadata = call("ModelMetadata", name=NAME)
    assert (answer.model_name, answer.model_version) == (NAME, version_of(server))
    assert answer.id == "mine"
    found = [(one.name, one.datatype, list(one.shape)) for one in answer.outputs]
    assert found == [
        ("logits", "FP32", [3, CLASSES]),
        ("probabilities", "FP32", [3, CLASSES]),
        ("class", "INT64", [3]),
    ]
    logits = expected(given, server)
    if is_raw:
        data = np.frombuffer(answer.raw_output_contents[0], np.float32)
        classes = np.frombuffer(answer.raw_output_contents[2], np.int64)
    else:
        data = answer.outputs[0].contents.fp32_contents
        classes = answer.outputs[2].contents.int64_contents
    np.testing.assert_allclose(np.reshape(data, (3, -1)), logits, rtol=1e-6)
    assert list(classes) == logits.argmax(axis=1).tolist()
    assert [(one.name, list(one.shape)) for one in metadata.inputs] == [
        ("image_floats", [-1, PIXELS])
    ]


def test_metadata_and_health(server: Server) -> None:
    metadata = server.get(f"/v2/models/{NAME}").content
    assert metadata["inputs"] == [
        {"name": "image_floats", "datatype": "FP32", "shape": [-1, PIXELS]}
    ]
    assert [one["name"] for one in metadata["outputs"]] == ["logits", "probabilities", "class"]
    for path in ("live", "ready"):
        assert server.get(f"/v2/health/{path}").status == 200
    assert server.get(f"/v2/models/{NAME}/ready").status == 200


@pytest.mark.parametrize(
    "shape",
    ["rows", "named rows", "column", "named column", "rows by signature"],
)
def test_tensorflow_serving_s_rest(server: Server, shape: str) -> None:
    given = images(2)
    rows = given.tolist()
    request = {
        "rows": {"instances": rows},
        "named rows": {"instances": [{"image_floats": row} for row in rows]},
        "column": {"inputs": rows},
        "named column": {"inputs": {"image_floats": rows}},
        "rows by signature": {"instances": rows, "signature_name": "predict_images"},
    }[shape]
    answer = server.post(PREDICT, request)
    assert answer.status == 200, answer.content
    found = answer.content["outputs" if "column" in shape else "predictions"]
    np.testing.assert_allclose(found, expected(given, server), rtol=1e-6)
    assert answer.headers["model-version"] == version_of(server)
    path = f"/v1/models/{NAME}/versions/{version_of(server)}:predict"
    assert server.post(path, request).content == answer.content


@pytest.mark.parametrize("is_named", [True, False])
def test_serialized_examples_get_all_outputs(server: Server, is_named: bool) -> None:
    given = images(2)
    texts = []
    for image in given:
        example = tf.train.Example()
        example.features.feature["image_floats"].float_list.value.extend(image)
        texts.append({"b64": base64.b64encode(example.SerializeToString()).decode()})
    rows = [{"examples": text} for text in texts] if is_named else texts
    answer = server.post(PREDICT, {"instances": rows, "signature_name": "serving_default"})
    logits = expected(given, server)
    for row, one in zip(answer.content["predictions"], logits, strict=True):
        np.testing.assert_allclose(row["logits"], one, rtol=1e-6)
        assert row["class"] == one.argmax() and len(row["probabilities"]) == CLASSES
    column = {"examples": texts} if is_named else texts
    columns = server.post(PREDICT, {"inputs": column}).content["outputs"]
    np.testing.assert_allclose(columns["logits"], logits, rtol=1e-6)


def test_status_and_metadata_of_tensorflow_serving(server: Server) -> None:
    version = version_of(server)
    ok = {"error_code": "OK", "error_message": ""}
    served = {"version": version, "state": "AVAILABLE", "status": ok}
    assert served in server.get(f"/v1/models/{NAME}").content["model_version_status"]
    assert server.get(f"/v1/models/{NAME}/versions/{version}").content == {
        "model_version_status": [served]
    }
    metadata = server.get(f"/v1/models/{NAME}/metadata").content
    assert metadata["model_spec"]["version"] == version
    [inputs] = [
        signature["inputs"]
        for signature in metadata["metadata"]["signature_def"]["signature_def"].values()
    ]
    assert [one["size"] for one in inputs["image_floats"]["tensor_shape"]["dim"]] == [
        *("-1", str(PIXELS))
    ]


def test_more_images_than_go_through_the_model_at_once(server: Server) -> None:
    given = images(300)
    found = server.post(PREDICT, {"instances": given.tolist()}).content["predictions"]
    np.testing.assert_allclose(np.array(found)[:, 0], given.sum(axis=1), rtol=1e-5)


def test_metrics_name_the_version(server: Server) -> None:
    server.post(INFER, {"inputs": [tensor(images(1))]})
    address = f"http://127.0.0.1:{server.metrics_port}"
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as response:
        text = response.read().decode()
    version = version_of(server)
    counted = rf'model_infer_request_success_total{{model="{NAME}",version="{version}"}} (\d+)'
    assert float(re.search(counted, text)[1]) >= 1
    [gauge] = re.findall(rf'^serve_version{{model="{NAME}"}} (\S+)', text, re.MULTILINE)
    assert float(gauge) == float(version)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/docs", timeout=60)


def test_nothing_listens_but_on_loopback(server: Server) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(server.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert {address.port for address in listening} == {
        *(server.port, server.grpc_port, server.metrics_port)
    }
