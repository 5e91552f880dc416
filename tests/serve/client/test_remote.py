"""What is asked of a server, and a sentence for whatever it does not answer."""

import json
import socket

import numpy as np
import pytest

from data.digits import TASK
from data.errors import ConfigError
from serve.client import remote
from tests.serve.client.conftest import Server
from tests.support.digit_models import DigitModels
from tests.support.machine import free_port


def test_images_are_sent_one_by_one_by_the_protocol(
    digit_models: DigitModels, server: Server
) -> None:
    found = remote.ask(server.address, TASK, digit_models.images[:3])
    assert found.model == "server, version 12"
    expected = digit_models.logits[:3].argmax(1).tolist()
    assert [answer.label for answer in found.of_images] == expected
    assert all(0.5 < answer.probability <= 1 for answer in found.of_images)
    assert all(answer.microseconds > 0 for answer in found.of_images)
    (metadata, *asked) = server.requests
    assert metadata[:2] == ("GET", "/v2/models/digits")
    assert [request[:2] for request in asked] == [("POST", "/v2/models/digits/infer")] * 3
    [tensor] = asked[2][2]["inputs"]
    assert (tensor["name"], tensor["shape"]) == ("image_floats", [1, 784])
    assert tensor["data"] == digit_models.images[2].tolist()
    assert asked[2][2]["outputs"] == [{"name": "logits"}]


def test_a_path_before_the_protocols_is_kept(digit_models: DigitModels, server: Server) -> None:
    with pytest.raises(remote.ServerError, match="404: Model mnist not found"):
        remote.ask(f"{server.address}/behind/", TASK, digit_models.images[:1])
    assert server.requests[0][1] == "/behind/v2/models/digits"


INPUTS = [{"name": "image_floats", "shape": [-1, 784]}]


@pytest.mark.parametrize(
    ("of_get", "of_post", "words"),
    [
        ((404, b'{"error": "Model digits\\nnot found"}'), None, "with 404: Model digits not found"),
        ((503, b"busy"), None, "refuses GET /v2/models/digits with 503: busy"),
        ((200, b"<html>"), None, "with no JSON object"),
        ((200, b"{}"), None, "says nothing of its model's input"),
        (
            (200, json.dumps({"inputs": [{"name": "x", "shape": [-1, 784]}]}).encode()),
            None,
            "takes x of 784 numbers, expected image_floats of 784",
        ),
        (None, (400, b'{"error": "expected finite numbers"}'), "400: expected finite numbers"),
        (None, (200, b'{"outputs": []}'), "gave no logits"),
        (
            None,
            (200, b'{"outputs": [{"name": "logits", "data": [1, 2, 3]}]}'),
            "gave 3 logits, expected 10 finite numbers",
        ),
        (
            None,
            (200, b'{"outputs": [{"name": "logits", "data": [NaN,1,1,1,1,1,1,1,1,1]}]}'),
            "finite numbers",
        ),
        (None, (200, b"x" * ((1 << 24) + 1)), "its answer has more than"),
    ],
)
def test_what_a_server_answers_instead_is_one_sentence(
    server: Server,
    of_get: tuple[int, bytes] | None,
    of_post: tuple[int, bytes] | None,
    words: str,
) -> None:
    good = (200, json.dumps({"inputs": INPUTS}).encode())
    server.answer = lambda method, path: (of_get or good) if method == "GET" else of_post
    with pytest.raises(remote.ServerError) as caught:
        remote.ask(server.address, TASK, np.zeros((1, 784), np.float32))
    text = str(caught.value)
    assert words in text and text.startswith(server.address) and len(text.splitlines()) == 1


def test_no_server_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((1, 784), np.float32)
    with pytest.raises(remote.ServerError, match="no server answers there .*make serve"):
        remote.ask(f"http://127.0.0.1:{free_port()}", TASK, images)
    monkeypatch.setattr(remote, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(remote.ServerError, match="has not answered within 0.2 s"):
            remote.ask(address, TASK, images)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8080",
        "ftp://x",
        "http://",
        "http://x:y",
        "http://a:b@x",
        "http://x?y",
        "http://[",
    ],
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ConfigError, match="^SERVER=.*expected the address of a server"):
        remote.check_address(address)
