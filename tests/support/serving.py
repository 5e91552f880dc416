"""A real model server on free ports of loopback, and small SavedModels for it."""

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf

from data.files import PROJECT_ROOT
from pipeline.storage import version_writer
from tests.support.machine import environment, free_port, lacks

VENV = PROJECT_ROOT / ".venv-serve"
NAME, PIXELS, CLASSES = "small", 12, 3
INFER = f"/v2/models/{NAME}/infer"
PREDICT = f"/v1/models/{NAME}:predict"
_START_SECONDS = 120


def serve_python() -> Path:
    """Returns its interpreter; without it the test is skipped, or fails if REQUIRE_SERVE=1."""
    python = VENV / "bin" / "python"
    if python.exists():
        return python
    lacks("SERVE", f"{VENV} is not there: make serve-setup")


def write_model(folder: Path, mark: float) -> Path:
    """Writes a SavedModel as the pipeline's; of its logits, one is `mark`, so it can be told.

    The others are the sum of an image, and 0.
    """
    module = tf.Module()
    module.mark = tf.Variable(mark, dtype=tf.float32)
    images = tf.TensorSpec([None, PIXELS], tf.float32, name="image_floats")

    @tf.function(autograph=False, input_signature=[images])
    def predict_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        sums = tf.reduce_sum(image_floats, axis=1)
        marks = tf.fill(tf.shape(sums), module.mark)
        return {"logits": tf.stack([sums, marks, tf.zeros_like(sums)], axis=1)}

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = {"image_floats": tf.io.FixedLenFeature([PIXELS], tf.float32)}
        logits = predict_images(**tf.io.parse_example(examples, spec))["logits"]
        return {
            "logits": logits,
            "probabilities": tf.nn.softmax(logits),
            "class": tf.argmax(logits, axis=1),
        }

    signatures = {"predict_images": predict_images, "serving_default": serve_examples}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def files_of(model: Path) -> dict[str, Path]:
    """Returns a model's files as `push` takes them."""
    return {path.relative_to(model).as_posix(): path for path in model.rglob("*") if path.is_file()}


def push(model: Path, folder: Path | str) -> str:
    """Pushes a model as the pipeline does; returns the version's name."""
    version = version_writer.push(files_of(model), str(folder), uuid.uuid4().hex[:16], "tests")
    return version.rpartition("/")[2]


def images(count: int = 2) -> np.ndarray:
    """Returns float32[count, PIXELS], each of another sum."""
    return np.linspace(0, 1, count * PIXELS, dtype=np.float32).reshape(count, PIXELS)


def tensor(given: np.ndarray) -> dict[str, Any]:
    """Returns images as the Open Inference Protocol has them."""
    return {
        "name": "image_floats",
        "datatype": "FP32",
        "shape": list(given.shape),
        "data": given.ravel().tolist(),
    }


@dataclass
class Answered:
    """What came back: the status, the content if it is JSON, and the headers."""

    status: int
    content: Any
    headers: dict[str, str]

    @property
    def error(self) -> str:
        """The reason that the server gives."""
        return self.content["error"]


@dataclass
class Server:
    """A server in a process of its own.

    Attributes:
      output: the folder that OUTPUT names; versions are in `serving/` in it, or below PUSH_TO.
      settings: more of them.
      name: of the model.
      code: the folder that it runs from.
    """

    output: Path
    settings: dict[str, str] = field(default_factory=dict)
    name: str = NAME
    code: Path = PROJECT_ROOT

    def start(self) -> None:
        """Starts it, and waits until it answers, loaded or not."""
        self.port, self.grpc_port, self.metrics_port = (free_port() for _ in range(3))
        ports = {
            "SERVE_PORT": self.port,
            "GRPC_PORT": self.grpc_port,
            "METRICS_PORT": self.metrics_port,
        }
        given = {"OUTPUT": self.output, "DATASET": self.name, **ports, **self.settings}
        self.log_file = self.output / f"{self.port}.log"
        with open(self.log_file, "w") as log:
            self.process = subprocess.Popen(
                [serve_python(), "-m", "serve.server"],
                cwd=self.code,
                env=environment(**{name: str(value) for name, value in given.items()}),
                stdout=log,
                stderr=log,
            )
        self.wait_until(lambda: self.get("/v2/health/live").status == 200)

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text()

    def wait_until(self, condition: Any) -> None:
        """Waits until the condition holds, also while nothing listens."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log
            with contextlib.suppress(OSError, http.client.HTTPException):
                if condition():
                    return
            time.sleep(0.1)
        raise AssertionError(self.log)

    def wait_for(self, version: str) -> None:
        """Waits until a version is served."""
        self.wait_until(lambda: self.state_of(version) == "AVAILABLE")

    def state_of(self, version: str) -> str | None:
        """Returns the state of a version, as TensorFlow Serving's route has it."""
        states = self.get(f"/v1/models/{self.name}").content["model_version_status"]
        return {one["version"]: one["state"] for one in states}.get(version)

    def get(self, path: str) -> Answered:
        """Asks for a path."""
        return self.request("GET", path)

    def post(self, path: str, content: Any, **headers: str) -> Answered:
        """Sends JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.request("POST", path, body, headers)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Sends a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            text = response.read()
            kind = response.headers.get("content-type", "")
            content = json.loads(text) if "json" in kind and text else text
            return Answered(response.status, content, dict(response.headers))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tells it to end; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        """Ends it at once, as a machine that fails would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


@contextlib.contextmanager
def serving(output: Path, **settings: str) -> Iterator[Server]:
    """Runs a server as long as the block does."""
    serve_python()
    server = Server(output, settings)
    try:
        server.start()
        yield server
    finally:
        if hasattr(server, "process") and server.process.poll() is None:
            server.kill()


def inference_messages() -> Any:
    """Returns the messages of the Open Inference Protocol's gRPC, as the server has them."""
    python = serve_python()
    [path] = python.parent.parent.glob("lib/*/site-packages/mlserver/grpc/dataplane_pb2.py")
    spec = importlib.util.spec_from_file_location("dataplane_pb2", path)
    module = sys.modules.setdefault("dataplane_pb2", importlib.util.module_from_spec(spec))
    if not hasattr(module, "ModelInferRequest"):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def inference_calls(server: Server) -> Iterator[Callable[..., Any]]:
    """Gives a function that calls a method by gRPC: its name, then the request's fields."""
    pb = inference_messages()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:

        def call(method: str, compression: Any = None, **fields: Any) -> Any:
            name = method if hasattr(pb, f"{method}Request") else "ModelInfer"
            ask = channel.unary_unary(
                f"/inference.GRPCInferenceService/{method}",
                getattr(pb, f"{name}Request").SerializeToString,
                getattr(pb, f"{name}Response").FromString,
            )
            request = getattr(pb, f"{name}Request")(**fields)
            return ask(request, timeout=60, compression=compression)

        yield call
