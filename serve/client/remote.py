"""Answers of a model server, by the Open Inference Protocol over REST.

https://github.com/open-inference/open-inference-protocol
"""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from data.errors import ConfigError, DataError, shown
from data.task import Task
from modules import features
from serve.client.answers import Answer, Answers, answer_of

_SECONDS = 30
_MOST_BYTES = 1 << 24  # of an answer
_SCHEMES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


class ServerError(DataError):
    """A server that is not there, refuses, or answers what nobody could use."""


def check_address(server: str) -> None:
    """Raises ConfigError unless SERVER is the address of a server, as http://127.0.0.1:8080."""
    try:
        parts = urlsplit(server)
        is_address = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"SERVER={shown(server)}: expected the address of a server, as http://127.0.0.1:8080"
        )


def ask(server: str, task: Task, images: np.ndarray) -> Answers:
    """Returns what a server's model of a task's name says; its times hold the way there and back.

    Args:
      server: its address.
      task: of the images.
      images: float32[N, pixels] in [0, 1], sent one by one.

    Raises:
      ConfigError: the address is none.
      ServerError: the server does not answer as it should.
    """
    check_address(server)
    with _connection(server) as connection:
        _check_model(connection, server, task)
        found, version = [], ""
        for image in images:
            answer, version = _infer(connection, server, task, image)
            found.append(answer)
    return Answers(f"server, version {version}" if version else "server", tuple(found))


def _check_model(connection: http.client.HTTPConnection, server: str, task: Task) -> None:
    """Raises ServerError when the model's metadata speak of other images."""
    metadata = _exchange(connection, server, "GET", _path(server, task.name))
    try:
        [tensor] = metadata["inputs"]
        found = tensor["name"], tensor["shape"][-1]
    except (ValueError, LookupError, TypeError) as error:
        raise ServerError(f"{server}: says nothing of its model's input: {error}") from error
    if found != (features.IMAGE_FLOATS, task.num_pixels):
        raise ServerError(
            f"{server}: its model {task.name} takes {shown(str(found[0]))} of "
            f"{shown(str(found[1]))} numbers, expected {features.IMAGE_FLOATS} of "
            f"{task.num_pixels}, as OUTPUT and DATASET say"
        )


def _infer(
    connection: http.client.HTTPConnection, server: str, task: Task, image: np.ndarray
) -> tuple[Answer, str]:
    """Returns the answer for an image float32[pixels], and the version that gave it."""
    tensor = {
        "name": features.IMAGE_FLOATS,
        "shape": [1, task.num_pixels],
        "datatype": "FP32",
        "data": image.tolist(),
    }
    request = {"inputs": [tensor], "outputs": [{"name": features.LOGITS}]}
    body = json.dumps(request).encode()
    start = time.perf_counter()
    content = _exchange(connection, server, "POST", _path(server, task.name) + "/infer", body)
    microseconds = (time.perf_counter() - start) * 1e6
    try:
        [output] = [each for each in content["outputs"] if each["name"] == features.LOGITS]
        logits = np.asarray(output["data"], np.float32).reshape(-1)
        version = str(content.get("model_version") or "")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ServerError(f"{server}: gave no {features.LOGITS}: {error}") from error
    if len(logits) != task.num_classes or not np.isfinite(logits).all():
        raise ServerError(
            f"{server}: gave {len(logits)} {features.LOGITS}, expected {task.num_classes} finite "
            "numbers, one for each label"
        )
    return answer_of(logits, microseconds), version


def _path(server: str, model: str) -> str:
    return f"{urlsplit(server).path.rstrip('/')}/v2/models/{quote(model, safe='')}"


@contextlib.contextmanager
def _connection(server: str) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(server)
    connection = _SCHEMES[parts.scheme](parts.hostname, parts.port, timeout=_SECONDS)
    with contextlib.closing(connection):
        try:
            yield connection
        except TimeoutError as error:
            raise ServerError(f"{server}: has not answered within {_SECONDS} s") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ServerError(
                f"{server}: no server answers there ({reason}); start one with `make serve`, or "
                "leave SERVER out to ask the device models"
            ) from error


def _exchange(
    connection: http.client.HTTPConnection,
    server: str,
    method: str,
    path: str,
    body: bytes | None = None,
) -> Any:
    """Returns the JSON of an answer; raises ServerError for one of another status than 200."""
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise ServerError(f"{server}: its answer has more than {_MOST_BYTES:,} bytes")
    try:
        content = json.loads(text)
    except ValueError:
        content = text.decode(errors="replace")
    if response.status != http.HTTPStatus.OK:
        reason = content.get("error", content) if isinstance(content, dict) else content
        told = " ".join(shown(str(reason)).split()) or response.reason
        raise ServerError(f"{server}: refuses {method} {path} with {response.status}: {told}")
    if not isinstance(content, dict):
        raise ServerError(f"{server}: answers {method} {path} with no JSON object")
    return content
