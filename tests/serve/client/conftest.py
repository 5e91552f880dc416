"""Pushed device models, and a server that answers by the Open Inference Protocol."""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modules.inference import litert
from tests.support.digit_models import DigitModels
from tests.support.pushed_models import push

RECIPES = ("float32", "int8_io")


@pytest.fixture(scope="session")
def output(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUTPUT with two pushed device models, version 7."""
    folder = tmp_path_factory.mktemp("pushed") / "digits"
    push(folder / "device" / "7", digit_models, RECIPES)
    return folder


@pytest.fixture(scope="session")
def drawings(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three digits of the training set as PNG files, large and black on white."""
    folder = tmp_path_factory.mktemp("drawings")
    for number, image in enumerate(digit_models.images[:3]):
        pixels = np.rint(image.reshape(28, 28) * 255).astype(np.uint8)
        large = Image.fromarray(255 - pixels).resize((280, 280), Image.Resampling.BICUBIC)
        sheet = Image.new("L", (400, 350), 255)
        sheet.paste(large, (40 * number, 50))
        sheet.save(folder / f"digit{number}.png")
    return folder


@dataclasses.dataclass
class Server:
    """A server on the loopback interface.

    Attributes:
      address: as SERVER takes it.
      requests: method, path and content of what it was sent.
      answer: replaces what is answered, given the same, by (status, bytes); None for the protocol.
    """

    address: str
    requests: list[tuple[str, str, Any]]
    answer: Callable[[str, str], tuple[int, bytes]] | None = None


@pytest.fixture
def server(digit_models: DigitModels) -> Iterator[Server]:
    """Has the float32 model answer; the real server is built over TensorFlow, in its own tests."""
    path = digit_models.tflite_paths["float32"]
    found = Server("", [])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply("GET", None)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._reply("POST", json.loads(self.rfile.read(length)))

        def log_message(self, *unused: object) -> None:
            pass

        def _reply(self, method: str, content: Any) -> None:
            found.requests.append((method, self.path, content))
            status, body = (found.answer or self._by_protocol)(method, self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _by_protocol(self, method: str, path_of_url: str) -> tuple[int, bytes]:
            if not path_of_url.startswith("/v2/models/digits"):
                return 404, json.dumps({"error": "Model mnist not found"}).encode()
            if method == "GET":
                inputs = [{"name": "image_floats", "datatype": "FP32", "shape": [-1, 784]}]
                return 200, json.dumps({"name": "digits", "inputs": inputs}).encode()
            [tensor] = found.requests[-1][2]["inputs"]
            assert (tensor["name"], tensor["datatype"]) == ("image_floats", "FP32")
            images = np.asarray(tensor["data"], np.float32).reshape(tensor["shape"])
            logits = litert.predict(path, images)
            result = {"name": "logits", "datatype": "FP32", "shape": list(logits.shape)}
            outputs = [{**result, "data": logits.ravel().tolist()}]
            answer = {"model_name": "digits", "model_version": "12", "outputs": outputs}
            return 200, json.dumps(answer).encode()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        found.address = f"http://127.0.0.1:{http_server.server_port}"
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        yield found
        http_server.shutdown()
