"""A compiled pipeline whose nodes are run one by one: both make an output named `model`."""

import json
import os
import signal
import sys
from pathlib import Path

from google.protobuf import json_format
from tfx.components import Pusher
from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types.standard_artifacts import Model

from data.errors import DataError
from modules.provenance.fingerprint import fingerprint
from pipeline.components import pusher
from pipeline.running.compiled import Compiled, Graph
from pipeline.storage import version_writer
from tests.pipeline.storage.push_pipeline import Made


@component
def First(  # noqa: N802
    text: Parameter[str], trap: Parameter[str], model: OutputArtifact[Model]
):
    """Writes its text; a file named `trap` makes it fail, or its process die."""
    folder = Path(model.uri)
    (folder / text).write_text(text)
    if Path(trap).exists():
        fate = Path(trap).read_text()
        Path(trap).unlink()
        (folder / "half").write_text(fate)
        if fate == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "stopped":
            raise KeyboardInterrupt
        raise DataError(fate) if fate == "other data" else ValueError(fate)


@component
def Second(given: InputArtifact[Model], model: OutputArtifact[Model]):  # noqa: N802
    """Says what it was given."""
    names = sorted(path.name for path in Path(given.uri).iterdir())
    (Path(model.uri) / "seen").write_text(" ".join(names))


class TrappedPusher(pusher.Executor):
    """Fails after half a push, or after a whole one, as the file `trap` beside OUTPUT's says."""

    def Do(  # noqa: N802 - TFX's name
        self, inputs: object, outputs: object, properties: dict[str, str]
    ) -> None:
        """Pushes."""
        serving = Path(json.loads(properties["push_destination"])["filesystem"]["base_directory"])
        file = trap(serving.parent)
        fate = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        if fate == "half":
            (serving / f"{version_writer.ASIDE}{self._push_id()}").mkdir(parents=True)
        else:
            super().Do(inputs, outputs, properties)
        if fate:
            raise ValueError(fate)


def trap(folder: Path) -> Path:
    return folder / "trap"


def pushed(folder: Path) -> Path:
    return folder / "serving"


def compile_two_nodes(folder: Path, text: str = "a") -> Path:
    """Compiles First and Second, with all that they leave below `folder`; returns where to."""
    first = First(text=text, trap=str(trap(folder)))
    return _compile(folder, text, first, Second(given=first.outputs["model"]))


def compile_push(folder: Path, text: str) -> Path:
    """Compiles Made and Pusher, which falls into the trap; the same otherwise."""
    made = Made(text=text)
    pushing = Pusher(
        model=made.outputs["model"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(pushed(folder)))
        ),
        custom_executor_spec=ExecutorClassSpec(TrappedPusher),
    )
    return _compile(folder, text, made, pushing)


def _compile(folder: Path, text: str, first: BaseNode, second: BaseNode) -> Path:
    definition = Compiler().compile(
        Pipeline(
            pipeline_name="two",
            pipeline_root=str(folder / "root"),
            components=[first, second],
            metadata_connection_config=sqlite_metadata_connection_config(
                str(folder / "metadata.db")
            ),
            enable_cache=True,
        )
    )
    graph = Graph(
        pipeline="two",
        nodes={first.id: [], second.id: [first.id]},
        one_at_a_time=True,
        settings={"OUTPUT": str(folder)},
        python=sys.executable,
        folder=os.getcwd(),
        modules={"First": [__name__]},
        digests={"First": fingerprint([__name__])},
    )
    Compiled(graph, json_format.MessageToJson(definition)).write(folder / text)
    return folder / text
