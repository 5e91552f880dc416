"""Cleaning up after runs that were stopped, in the store and in the folders of real executions."""

import dataclasses
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model

from pipeline.config import PipelineConfig
from pipeline.metadata import runs
from pipeline.metadata.connection import connection_config, open_store
from pipeline.metadata.half_done import HalfDone
from pipeline.running.nodes import LocalRunner
from pipeline.storage import staging, stores
from tests.pipeline.storage.push_pipeline import made_config

Execution = metadata_store_pb2.Execution


@component
def Finished(number: Parameter[int], model: OutputArtifact[Model]):  # noqa: N802
    """A node that ends well."""
    (Path(model.uri) / "weights").write_text(str(number))


@component
def Stopped(number: Parameter[int], model: OutputArtifact[Model]):  # noqa: N802
    """A node in which the user presses Ctrl-C; to TFX that is as if it were killed."""
    (Path(model.uri) / "weights-00000-of-00002").write_text(str(number))
    raise KeyboardInterrupt


def run(config: PipelineConfig, *nodes: object) -> None:
    pipeline = Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=list(nodes),
        metadata_connection_config=connection_config(config.metadata_location),
        enable_cache=True,
    )
    LocalRunner().run(pipeline)


def stop(config: PipelineConfig, *nodes: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(config, *nodes)


def recover(config: PipelineConfig, *, dry_run: bool = False) -> list[str]:
    """Returns what it says, as `make recover` does."""
    return list(HalfDone.of_pipeline(config, read_only=dry_run).recover(dry_run=dry_run))


def executions(store: mlmd.MetadataStore, name: str) -> list[tuple[str, str]]:
    """Returns the node and the state of each execution, in their order."""
    return [
        (runs.node_id(store, execution), Execution.State.Name(execution.last_known_state))
        for execution in runs.pipeline_executions(store, name)
    ]


def paths(folder: str | Path) -> set[str]:
    """Returns all that lies in the folder, but for the driver's empty folders."""
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*")}


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    return made_config(tmp_path)


def test_nothing_to_recover(config: PipelineConfig) -> None:
    assert recover(config) == []
    assert not config.metadata_file.exists()
    run(config, Finished(number=1))
    before = paths(config.output)
    assert recover(config) == []
    assert paths(config.output) == before


def test_stopped_executions_are_marked_and_their_folders_removed(config: PipelineConfig) -> None:
    run(config, Finished(number=1))
    finished = paths(config.pipeline_root)
    before, after = Finished(number=1), Stopped(number=1)
    after.add_upstream_node(before)
    stop(config, before, after)
    store = open_store(config.metadata_location)
    assert executions(store, "ours") == [
        ("Finished", "COMPLETE"),
        ("Finished", "CACHED"),
        ("Stopped", "RUNNING"),
    ]
    stopped = paths(config.pipeline_root)
    assert "Stopped/model/3/weights-00000-of-00002" in stopped

    [line] = recover(config, dry_run=True)
    told = "Stopped: execution 3 was killed, would mark as failed, would remove "
    assert line.startswith(told)
    assert f"{config.pipeline_root}/Stopped/model/3" in line
    assert paths(config.pipeline_root) == stopped
    assert ("Stopped", "RUNNING") in executions(store, "ours")

    done = told.replace("would mark", "marked").replace("would remove", "removed")
    assert recover(config) == [line.replace(told, done)]
    assert executions(store, "ours")[2] == ("Stopped", "FAILED")
    left = {path for path in paths(config.pipeline_root) if any(c.isdigit() for c in path)}
    assert left == {path for path in finished if any(c.isdigit() for c in path)}
    assert recover(config) == []

    run(config, Finished(number=2).with_id("Stopped"))
    assert executions(store, "ours")[3:] == [("Stopped", "COMPLETE")]


def test_failed_executions_of_other_reasons_and_other_pipelines_are_left_alone(
    config: PipelineConfig,
) -> None:
    other = PipelineConfig(config.dataset, config.output, name="other")
    stop(other, Stopped(number=1))
    before = paths(config.output)
    assert recover(config) == []
    assert paths(config.output) == before
    assert executions(open_store(config.metadata_location), "other") == [("Stopped", "RUNNING")]


def test_what_a_run_elsewhere_has_marked_is_removed_here(config: PipelineConfig) -> None:
    stop(config, Stopped(number=1))
    assert len(recover(config)) == 1
    left = Path(config.pipeline_root, "Stopped", "model", "1")
    left.mkdir(parents=True)
    assert recover(config) == [f"Stopped: execution 1 was killed, removed {left}"]
    assert not left.exists()


def test_leftovers_in_an_object_store_are_removed(config: PipelineConfig, s3: str) -> None:
    remote = dataclasses.replace(config, root=s3)
    nodes = [Stopped(number=1)]
    staging.stage(nodes, beam=True)
    stop(remote, *nodes)
    stores.write_text(f"{s3}/Stopped/model/1/part", "of an upload that was killed")
    stores.write_text(f"{s3}/Stopped/model/10/weights", "of another execution")
    [line] = recover(remote)
    assert line.endswith(f"marked as failed, removed {s3}/Stopped/model/1")
    assert stores.names(f"{s3}/Stopped/model") == ["10"]
