"""A compiled pipeline whose nodes are run one by one: both make an output named `model`."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from google.protobuf import json_format
from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model

from data.errors import DataError
from pipeline.compiled import Compiled, Graph, code_digest


@component
def First(  # noqa: N802
    text: Parameter[str],
    trap: Parameter[str],
    push_destination: Parameter[str],
    model: OutputArtifact[Model],
):
    """Writes its text; a file named `trap` makes it fail, or its process die in a push."""
    folder = Path(model.uri)
    (folder / text).write_text(text)
    if Path(trap).exists():
        fate = Path(trap).read_text()
        Path(trap).unlink()
        (folder / "half").write_text(fate)
        destination = Path(json.loads(push_destination)["filesystem"]["baseDirectory"])
        (destination / str(int(time.time()))).mkdir(parents=True)
        if fate == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise DataError(fate) if fate == "other data" else ValueError(fate)


@component
def Second(given: InputArtifact[Model], model: OutputArtifact[Model]):  # noqa: N802
    """Says what it was given."""
    names = sorted(path.name for path in Path(given.uri).iterdir())
    (Path(model.uri) / "seen").write_text(" ".join(names))


def trap(folder: Path) -> Path:
    return folder / "trap"


def pushed(folder: Path) -> Path:
    return folder / "serving"


def compile_two_nodes(folder: Path, text: str = "a") -> Path:
    """Compiles First and Second, with all that they leave below `folder`; returns where to."""
    destination = {"filesystem": {"baseDirectory": str(pushed(folder))}}
    first = First(text=text, trap=str(trap(folder)), push_destination=json.dumps(destination))
    definition = Compiler().compile(
        Pipeline(
            pipeline_name="two",
            pipeline_root=str(folder / "root"),
            components=[first, Second(given=first.outputs["model"])],
            metadata_connection_config=sqlite_metadata_connection_config(
                str(folder / "metadata.db")
            ),
            enable_cache=True,
        )
    )
    graph = Graph(
        pipeline="two",
        nodes={"First": [], "Second": ["First"]},
        one_at_a_time=True,
        settings={"OUTPUT": str(folder)},
        python=sys.executable,
        folder=os.getcwd(),
        source_digest=code_digest(),
    )
    Compiled(graph, json_format.MessageToJson(definition)).write(folder / text)
    return folder / text
