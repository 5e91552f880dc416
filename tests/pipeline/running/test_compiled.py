"""The compiled pipeline: what an orchestrator gets is what the local runner runs."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from tfx.dsl.compiler.compiler import Compiler
from tfx.proto.orchestration import pipeline_pb2

from data.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.running import compiled
from pipeline.running.nodes import LocalRunner
from pipeline.settings import SETTINGS
from tests.support.digit_models import DigitModels


class Recorder(LocalRunner):
    """Keeps what it is to run."""

    definition: pipeline_pb2.Pipeline

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **unused: Any) -> None:
        self.definition = pipeline


@pytest.fixture
def config(digit_models: DigitModels, tmp_path: Path) -> PipelineConfig:
    return PipelineConfig(digit_models.files, tmp_path / "output")


def test_nodes_and_edges_are_those_of_the_local_run(config: PipelineConfig) -> None:
    recorder = Recorder()
    recorder.run(create_pipeline(config))
    local = [node.pipeline_node for node in recorder.definition.nodes]
    graph = compiled.compile_pipeline(config, {}).graph
    assert list(graph.nodes) == [node.node_info.id for node in local]
    for node in local:
        inputs = node.inputs.inputs.values()
        producers = {
            channel.producer_node_query.id
            for spec in inputs
            for channel in spec.channels
            # One query, for the last blessed model, is for what any run has made.
            if any(c.type.name == "pipeline_run" for c in channel.context_queries)
        }
        assert producers <= set(graph.nodes[node.node_info.id])
    # No data flows along this edge: it stops bad data before anything is learnt from it.
    assert "AnomalyGate" in graph.nodes["Transform"]
    assert graph.pipeline == config.pipeline_name and graph.one_at_a_time


def test_every_node_comes_after_those_it_waits_for(config: PipelineConfig) -> None:
    seen: set[str] = set()
    for node, upstream in compiled.compile_pipeline(config, {}).graph.nodes.items():
        assert seen.issuperset(upstream)
        seen.add(node)


def test_it_reads_as_it_was_written(config: PipelineConfig, tmp_path: Path) -> None:
    pipeline = compiled.compile_pipeline(config, {})
    pipeline.write(tmp_path / "new" / "folder")
    assert compiled.read_graph(tmp_path / "new" / "folder") == pipeline.graph
    definition = compiled.read_pipeline(tmp_path / "new" / "folder")
    local = Compiler().compile(create_pipeline(config))
    # Not the messages themselves: what is packed in them is bytes, of maps in any order.
    one, other = (json_format.MessageToDict(message) for message in (definition, local))
    assert one == other and len(one["nodes"]) == len(pipeline.graph.nodes)
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 2


def test_the_same_pipeline_compiles_to_the_same_text(config: PipelineConfig) -> None:
    one, other = (compiled.compile_pipeline(config, {}) for _ in range(2))
    assert one == other


def test_settings_are_kept_and_auto_becomes_what_was_found(config: PipelineConfig) -> None:
    settings = compiled.compile_pipeline(config, {"EPOCHS": "7", "HOME": "/root"}).graph.settings
    assert settings == dict.fromkeys(SETTINGS, "") | {
        "EPOCHS": "7",
        "DATASET": config.dataset.name,
        "OUTPUT": str(config.output),
    }
    given = compiled.compile_pipeline(config, {"DATASET": "some/folder"}).graph.settings
    assert given["DATASET"] == "some/folder"


def test_no_compiled_pipeline_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}/graph.json: there is no compiled pipeline"):
        compiled.read_graph(tmp_path)
