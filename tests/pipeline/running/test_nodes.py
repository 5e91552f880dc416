"""All nodes of a compiled pipeline, one after the other: what is shown, recorded and cached."""

import re
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.proto.orchestration import pipeline_pb2
from tfx.tools.cli.handler.local_dag_runner_patcher import LocalDagRunnerPatcher

from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.running import compiled
from pipeline.running.nodes import LocalRunner
from tests.pipeline.running.node_pipeline import compile_two_nodes, trap
from tests.pipeline.storage.push_pipeline import made_config, push_pipeline

State = metadata_store_pb2.Execution.State


def two_nodes(folder: Path) -> pipeline_pb2.Pipeline:
    return compiled.read_pipeline(compile_two_nodes(folder))


def store_of(folder: Path) -> mlmd.MetadataStore:
    return open_store(str(folder / "metadata.db"))


def states(folder: Path) -> list[tuple[str, str]]:
    """Returns the node and the state of each execution, in their order."""
    store = store_of(folder)
    return [
        (runs.node_id(store, execution), State.Name(execution.last_known_state))
        for execution in store.get_executions()
    ]


def records(folder: Path) -> list[Any]:
    """Returns all that ML Metadata holds, less times, and names and paths that differ by run."""
    store = store_of(folder)

    def text(message: Any) -> str:
        plain = str(message).replace(str(folder), "FOLDER")
        plain = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+", "RUN", plain)
        return re.sub(r"(\w+_since_epoch: \d+|name: \"[0-9a-f-]{36,64}\")\n", "", plain)

    contexts = store.get_contexts()
    return [
        [text(kind) for kind in (*store.get_execution_types(), *store.get_artifact_types())],
        [text(context) for context in contexts],
        [[parent.id for parent in store.get_parent_contexts_by_context(c.id)] for c in contexts],
        [[each.id for each in store.get_executions_by_context(c.id)] for c in contexts],
        [[each.id for each in store.get_artifacts_by_context(c.id)] for c in contexts],
        [text(execution) for execution in store.get_executions()],
        [text(artifact) for artifact in store.get_artifacts()],
        [text(event) for event in store.get_events_by_execution_ids(range(1, 5))],
    ]


def test_each_node_is_shown_and_the_next_run_takes_all_from_the_cache(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    LocalRunner().run_with_ir(two_nodes(tmp_path))
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\[ 1/2\] First  {16} +\d+\.\d s", first) and len(first) == 38
    assert re.fullmatch(r"\[ 2/2\] Second {16} +\d+\.\d s", second)
    LocalRunner().run_with_ir(two_nodes(tmp_path))
    assert capsys.readouterr().out == (
        f"[ 1/2] {'First':<22}   cached\n[ 2/2] {'Second':<22}   cached\n"
    )


def test_what_is_recorded_is_what_tfx_s_own_runner_records(tmp_path: Path) -> None:
    folders = {runner: tmp_path / runner.__name__ for runner in (LocalDagRunner, LocalRunner)}
    for runner, folder in folders.items():
        for _ in range(2):
            runner().run_with_ir(two_nodes(folder))
    theirs, ours = map(records, folders.values())
    assert ours == theirs
    done = [
        ("First", "COMPLETE"),
        ("Second", "COMPLETE"),
        ("First", "CACHED"),
        ("Second", "CACHED"),
    ]
    assert states(folders[LocalRunner]) == done
    # And its cache is ours.
    LocalRunner().run_with_ir(two_nodes(folders[LocalDagRunner]))
    assert states(folders[LocalDagRunner]) == [*done, *done[2:]]


def test_after_a_failure_no_other_node_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trap(tmp_path).write_text("no disk space")
    runner = LocalRunner()
    with pytest.raises(ValueError, match="no disk space"):
        runner.run_with_ir(two_nodes(tmp_path))
    assert capsys.readouterr().out == f"[ 1/2] {'First':<22}   failed\n"
    assert runner.has_run and states(tmp_path) == [("First", "FAILED")]


def test_tfx_compiles_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner, patcher, config = LocalRunner(), LocalDagRunnerPatcher(), made_config(tmp_path)
    with patcher.patch() as context:
        runner.run(push_pipeline(config, "a"))
    assert patcher.run_called and context[patcher.PIPELINE_NAME] == config.pipeline_name
    assert not runner.has_run and capsys.readouterr().out == ""
    assert not config.metadata_file.exists()
