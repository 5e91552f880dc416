"""TensorFlow Serving's REST API, over the same runtime.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from fastapi import FastAPI, Request
from fastapi.responses import Response
from google.protobuf.message import DecodeError
from mlserver.errors import InferenceError

from data.errors import shown
from serve.server.inference import LeasedDataPlane
from serve.server.limits import MAX_IMAGES
from serve.server.model.saved_model import SERVING_DEFAULT, SavedModel
from serve.server.protocols import open_inference
from serve.server.protocols.json_http import answered, json_of
from serve.server.registry import Registry, UnknownModelError

_BYTES = "b64"
_EXAMPLES = "examples"  # the name of the input of SERVING_DEFAULT


class TensorFlowServing:
    """The routes `/v1/models/NAME` and what is below them."""

    def __init__(self, data_plane: LeasedDataPlane, registry: Registry):
        self._data_plane = data_plane
        self._registry = registry

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an app."""
        # The longer one first: a name would take in what follows it.
        for model in ("/v1/models/{name}/versions/{version}", "/v1/models/{name}"):
            app.add_route(f"{model}:predict", self._predict, methods=["POST"])
            app.add_route(f"{model}/metadata", self._metadata, methods=["GET"])
            app.add_route(model, self._status, methods=["GET"])

    async def _predict(self, request: Request) -> Response:
        body = json_of(await request.body())
        name, version = request.path_params["name"], request.path_params.get("version")
        is_rows = "instances" in body
        if is_rows == ("inputs" in body):
            raise InferenceError("expected either instances or inputs in the body")
        given = body["instances" if is_rows else "inputs"]
        signature = body.get("signature_name", "")
        if not isinstance(signature, str):
            raise InferenceError("signature_name: expected a text")
        outputs: list[str] = []

        def read(model: SavedModel) -> np.ndarray:
            images, answers = _read(given, is_rows, signature, model)
            outputs.extend(answers)
            return images

        answer = await self._data_plane.answer(name, version, read)
        arrays = open_inference.arrays(answer.logits, outputs)
        content = {"predictions": _rows(arrays)} if is_rows else {"outputs": _columns(arrays)}
        return answered(content, answer.version)

    async def _status(self, request: Request) -> Response:
        name, wanted = request.path_params["name"], request.path_params.get("version")
        self._registry.check_name(name)
        states = self._registry.states()
        if wanted is not None and wanted not in states:
            raise UnknownModelError(f"{name} has no version {shown(wanted)!r} here")
        return answered(
            {
                "model_version_status": [
                    {
                        "version": version,
                        "state": state.state,
                        "status": {
                            "error_code": "FAILED_PRECONDITION" if state.error else "OK",
                            "error_message": state.error,
                        },
                    }
                    for version, state in states.items()
                    if wanted in (None, version)
                ]
            }
        )

    async def _metadata(self, request: Request) -> Response:
        name, version = request.path_params["name"], request.path_params.get("version")
        runtime = self._registry.find(name, version)
        model = runtime.model
        signature = {
            "inputs": {model.input: _tensor_info(model.pixels)},
            "outputs": {model.output: _tensor_info(model.classes)},
            "method_name": "tensorflow/serving/predict",
        }
        return answered(
            {
                "model_spec": {"name": name, "signature_name": "", "version": runtime.version},
                "metadata": {"signature_def": {"signature_def": {model.signature: signature}}},
            },
            runtime.version,
        )


def _tensor_info(width: int) -> dict[str, Any]:
    dims = [{"size": str(size), "name": ""} for size in (-1, width)]
    return {"dtype": "DT_FLOAT", "tensor_shape": {"dim": dims, "unknown_rank": False}, "name": ""}


def _read(
    given: Any, is_rows: bool, signature: str, model: SavedModel
) -> tuple[np.ndarray, list[str]]:
    """Returns images, float32[B, pixels], and the names of the outputs that are answered.

    A request without a signature gets the one that its values are for. TensorFlow Serving itself
    would take SERVING_DEFAULT, and so only serialized tf.Examples.
    """
    values = _values(given, is_rows, model)
    are_bytes = isinstance(values, list) and bool(values) and isinstance(values[0], Mapping)
    wanted = signature or (SERVING_DEFAULT if are_bytes else model.signature)
    if wanted == model.signature:
        return open_inference.numbers(values, model), [model.output]
    if wanted == SERVING_DEFAULT and model.takes_examples:
        return _of_examples(values, model), open_inference.output_names(model)
    known = [model.signature, *([SERVING_DEFAULT] if model.takes_examples else [])]
    raise InferenceError(f"signature_name: expected {' or '.join(known)}, got {shown(wanted)!r}")


def _values(given: Any, is_rows: bool, model: SavedModel) -> Any:
    """Returns the only input's values: out of each row, or out of the column."""
    if not is_rows:
        return _only(given, model) if isinstance(given, Mapping) and _BYTES not in given else given
    if isinstance(given, list) and any(
        isinstance(row, Mapping) and _BYTES not in row for row in given
    ):
        return [_only(row, model) for row in given]
    if isinstance(given, list) and given and not isinstance(given[0], list | Mapping):
        raise InferenceError("instances: expected a list with one row for each image")
    return given


def _only(named: Any, model: SavedModel) -> Any:
    names = (model.input, _EXAMPLES)
    if isinstance(named, Mapping) and len(named) == 1:
        [(name, value)] = named.items()
        if name in names:
            return value
    raise InferenceError(f"expected {' or '.join(names)} and nothing else in each row or column")


def _of_examples(values: Any, model: SavedModel) -> np.ndarray:
    """Returns the images in serialized tf.Examples; raises InferenceError."""
    if not isinstance(values, list) or not 0 < len(values) <= MAX_IMAGES:
        raise InferenceError(f"{_EXAMPLES}: expected a list of 1 to {MAX_IMAGES}")
    images: list[float] = []
    for value in values:
        if not isinstance(value, Mapping) or not isinstance(value.get(_BYTES), str):
            raise InferenceError(
                f'{_EXAMPLES}: expected a serialized tf.Example as {{"b64": "..."}}'
            )
        try:
            example = tf.train.Example.FromString(base64.b64decode(value[_BYTES], validate=True))
        except (binascii.Error, ValueError, DecodeError) as error:
            raise InferenceError(f"{_EXAMPLES}: no serialized tf.Example in base64") from error
        floats = example.features.feature[model.input].float_list.value
        if len(floats) != model.pixels:
            raise InferenceError(
                f"{_EXAMPLES}: expected {model.pixels} floats as {model.input}, got {len(floats)}"
            )
        images.extend(floats)
    return open_inference.numbers(images, model)


def _rows(arrays: Mapping[str, np.ndarray]) -> Any:
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    names, columns = list(arrays), [array.tolist() for array in arrays.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _columns(arrays: Mapping[str, np.ndarray]) -> Any:
    return next(iter(arrays.values())) if len(arrays) == 1 else dict(arrays)
