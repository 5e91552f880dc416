"""A pipeline compiled into a folder, for orchestrators that start one process for each node.

`pipeline.json` is TFX's own definition of the pipeline, its IR, from which `run_node` runs a node.
`graph.json` is for whoever arranges the nodes, and needs no TFX to be read.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.settings import SETTINGS
from pipeline.storage import stores

if TYPE_CHECKING:
    from tfx.proto.orchestration import pipeline_pb2

GRAPH_FILE, PIPELINE_FILE = "graph.json", "pipeline.json"


@dataclasses.dataclass(frozen=True)
class Graph:
    """What graph.json holds.

    Attributes:
      pipeline: its name.
      nodes: ids of the nodes that each waits for, in an order in which they can run.
      one_at_a_time: whether ML Metadata is an SQLite file, which takes one writer.
      settings: that make this pipeline, as environment variables; all are there.
      python: the interpreter that runs the nodes.
      folder: to run it in; relative paths among the settings start from there.
      modules: that TFX imports to run each node that has an executor.
      digests: of all the code that these can import.
    """

    pipeline: str
    nodes: Mapping[str, list[str]]
    one_at_a_time: bool
    settings: Mapping[str, str]
    python: str
    folder: str
    modules: Mapping[str, list[str]]
    digests: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A pipeline as it is written to a folder: the graph, and the text of pipeline.json."""

    graph: Graph
    definition: str

    def write(self, folder: Path) -> None:
        """Makes the folder and writes both files into it, in place of what may be there."""
        folder.mkdir(parents=True, exist_ok=True)
        stores.write_text(str(folder / PIPELINE_FILE), self.definition)
        # Last: where there is a graph, there is a pipeline.
        graph = json.dumps(dataclasses.asdict(self.graph), indent=2)
        stores.write_text(str(folder / GRAPH_FILE), graph)


def compile_pipeline(config: PipelineConfig, environment: Mapping[str, str]) -> Compiled:
    """Returns the compiled pipeline.

    Args:
      config: of the pipeline.
      environment: what `config` was read from; `auto` becomes the data set that was found.
    """
    # Imported here: TFX takes its time, and who only reads a graph does without it.
    from google.protobuf import json_format
    from tfx.dsl.compiler.compiler import Compiler
    from tfx.orchestration.local import runner_utils

    from pipeline.create import create_pipeline
    from pipeline.metadata.source_digest import PARAMETER, executed_modules

    pipeline = create_pipeline(config)
    definition = Compiler().compile(pipeline)
    store = runner_utils.extract_local_deployment_config(definition).metadata_connection_config
    settings = {name: environment.get(name) or "" for name in SETTINGS}
    if settings["DATASET"] in ("", "auto"):
        is_digits = config.dataset.name.startswith("digits")  # or, resized, digits-32x32
        settings["DATASET"] = "digits" if is_digits else "mnist"
    executed = [node for node in pipeline.components if PARAMETER in node.exec_properties]
    graph = Graph(
        pipeline=config.pipeline_name,
        nodes={
            node.pipeline_node.node_info.id: sorted(node.pipeline_node.upstream_nodes)
            for node in definition.nodes
        },
        one_at_a_time=store.database_connection_config.HasField("sqlite"),
        settings={**settings, "OUTPUT": str(config.output)},
        python=sys.executable,
        folder=os.getcwd(),
        modules={node.id: executed_modules(node) for node in executed},
        digests={node.id: node.exec_properties[PARAMETER] for node in executed},
    )
    return Compiled(graph, json_format.MessageToJson(definition, sort_keys=True) + "\n")


def read_graph(folder: Path) -> Graph:
    """Reads graph.json.

    Raises:
      ConfigError: the folder holds no compiled pipeline.
    """
    path = folder / GRAPH_FILE
    try:
        return Graph(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{path}: there is no compiled pipeline ({error}); compile it, or start a new run"
        ) from error


def read_pipeline(folder: Path) -> "pipeline_pb2.Pipeline":
    """Reads pipeline.json.

    Raises:
      ConfigError: it is damaged.
    """
    from google.protobuf import json_format
    from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2  # noqa: F401 - it is inside

    path = folder / PIPELINE_FILE
    try:
        return json_format.Parse(path.read_text(), pipeline_pb2.Pipeline())
    except (OSError, json_format.ParseError, TypeError) as error:
        raise ConfigError(f"{path}: not a compiled pipeline ({error}); start a new run") from error
