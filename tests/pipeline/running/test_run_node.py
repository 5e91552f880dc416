"""One node of a compiled pipeline, as an orchestrator runs it: once, again, after a death."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from data.errors import FAILED, WRONG_SETTING
from data.files import PROJECT_ROOT
from modules.training.saved import checkpoint_folder
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.metadata.run_lock import LOCK_FILE
from pipeline.running import compiled
from pipeline.running.run_node import main
from pipeline.storage import version_writer, versions
from tests.pipeline.running.node_pipeline import compile_push, compile_two_nodes, pushed, trap

RUNNING = metadata_store_pb2.Execution.RUNNING
COMPLETE = metadata_store_pb2.Execution.COMPLETE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return compile_two_nodes(tmp_path)


def executions(store: mlmd.MetadataStore, node: str) -> list[metadata_store_pb2.Execution]:
    return [e for e in store.get_executions() if runs.node_id(store, e) == node]


def model(store: mlmd.MetadataStore, node: str) -> metadata_store_pb2.Artifact:
    """Returns the output of the node's last execution."""
    return runs.output_artifacts(store, executions(store, node)[-1])["model"]


def test_nodes_of_a_run_find_each_other_and_their_outputs_do_not_collide(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for node in ("First", "Second"):
        assert main([str(folder), node, "run-1"]) == 0
    assert "First: " in capfd.readouterr().out
    store = open_store(str(tmp_path / "metadata.db"))
    first, second = model(store, "First"), model(store, "Second")
    assert first.id != second.id and first.uri != second.uri
    assert (Path(second.uri) / "seen").read_text() == "a"
    [run] = store.get_contexts_by_type("pipeline_run")
    assert run.name == "run-1"

    # Again in the same run, nothing happens; in another, both come from the cache.
    assert main([str(folder), "First", "run-1"]) == 0
    assert "First: finished by an earlier attempt" in capfd.readouterr().out
    assert len(executions(store, "First")) == 1
    for node in ("First", "Second"):
        assert main([str(folder), node, "run-2"]) == 0
        assert f"{node}: cached" in capfd.readouterr().out
        assert len(executions(store, node)) == 2
    assert model(store, "Second").id == second.id


def test_after_a_death_another_attempt_succeeds_and_takes_nothing_over(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trap(tmp_path).write_text("killed")
    command = [sys.executable, "-m", "pipeline.running.run_node", str(folder), "First", "run-1"]
    died = subprocess.run(command, cwd=PROJECT_ROOT, timeout=900)
    assert died.returncode == -signal.SIGKILL
    [half] = tmp_path.glob("root/First/model/*/half")

    for node in ("First", "Second"):
        assert main([str(folder), node, "run-1"]) == 0
    assert not half.exists()
    told = f"First: execution 1 was killed, removed {half.parent} "
    assert capfd.readouterr().out.startswith(told)
    store = open_store(str(tmp_path / "metadata.db"))
    assert (Path(model(store, "Second").uri) / "seen").read_text() == "a"
    # TFX takes up the execution that was left running.
    assert [e.last_known_state for e in executions(store, "First")] == [COMPLETE]


def test_what_another_run_is_at_work_on_is_left_alone(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trap(tmp_path).write_text("stopped")
    assert main([str(folder), "First", "run-1"]) == FAILED
    before = set(tmp_path.glob("root/First/**/*"))
    assert tmp_path / "root/First/model/1/half" in before
    # For all that this run knows, that one is still at work.
    assert main([str(folder), "First", "run-2"]) == 0
    assert all(path.exists() for path in before) and "removed" not in capfd.readouterr().out
    store = open_store(str(tmp_path / "metadata.db"))
    assert [e.last_known_state for e in executions(store, "First")] == [RUNNING, COMPLETE]


def test_half_a_push_that_failed_is_removed_and_no_other(tmp_path: Path) -> None:
    folder = compile_push(tmp_path, "a")
    theirs = pushed(tmp_path) / f"{version_writer.ASIDE}{'f' * 16}"
    theirs.mkdir(parents=True)
    trap(tmp_path).write_text("half")
    assert [main([str(folder), node, "run-1"]) for node in ("Made", "Pusher")] == [0, FAILED]
    assert len(list(pushed(tmp_path).iterdir())) == 2
    assert main([str(folder), "Pusher", "run-1"]) == 0
    [version] = set(pushed(tmp_path).iterdir()) - {theirs}
    assert versions.is_whole(version) and theirs.exists()


@pytest.mark.parametrize("text", ["a", "b"])
def test_a_version_that_was_not_recorded_is_taken_over_by_the_same_push_only(
    text: str, tmp_path: Path
) -> None:
    first = compile_push(tmp_path, "a")
    trap(tmp_path).write_text("whole")
    assert [main([str(first), node, "run-1"]) for node in ("Made", "Pusher")] == [0, FAILED]
    [unrecorded] = pushed(tmp_path).iterdir()
    folder, run = (first, "run-1") if text == "a" else (compile_push(tmp_path, "b"), "run-2")
    assert [main([str(folder), node, run]) for node in ("Made", "Pusher")] == [0, 0]
    [version] = pushed(tmp_path).iterdir()
    assert (version == unrecorded) == (text == "a")


def test_a_failure_is_told_and_another_attempt_may_succeed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trap(tmp_path).write_text("no disk space")
    assert main([str(folder), "First", "run-1"]) == FAILED
    shown = capsys.readouterr().err.strip().splitlines()
    assert shown[-1] == "error: First: ValueError: no disk space"
    assert shown[0] == f"Details: {folder / 'First.log'}"
    assert "Traceback" in (folder / "First.log").read_text()
    assert main([str(folder), "First", "run-1"]) == 0


def test_without_its_inputs_a_node_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TFX's launcher says nothing of it."""
    assert main([str(folder), "First", "run-1"]) == 0
    assert main([str(folder), "Second", "run-2"]) == FAILED
    assert "inputs" in capsys.readouterr().err


def test_a_node_that_is_not_there_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "Third", "run-1"]) == WRONG_SETTING
    assert "'Third'; expected one of First, Second" in capsys.readouterr().err


def test_a_folder_without_a_pipeline_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "First", "run-1"]) == WRONG_SETTING
    assert f"{tmp_path}/graph.json" in capsys.readouterr().err


def test_a_damaged_definition_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / compiled.PIPELINE_FILE
    path.write_text(path.read_text()[:100])
    assert main([str(folder), "First", "run-1"]) == WRONG_SETTING
    assert str(path) in capsys.readouterr().err


def test_code_edited_since_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TFX's cache would take the outputs of the new code for those of the old."""
    path = folder / compiled.GRAPH_FILE
    graph = json.loads(path.read_text())
    path.write_text(json.dumps(graph | {"digests": {"First": "of other code"}}))
    assert main([str(folder), "First", "run-1"]) == WRONG_SETTING
    assert "First: its code was edited" in capsys.readouterr().err


def test_an_edit_that_another_node_alone_imports_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / compiled.GRAPH_FILE
    graph = json.loads(path.read_text())
    changed = {"modules": {"Third": []}, "digests": {"Third": "of other code"}}
    path.write_text(json.dumps(graph | changed))
    assert main([str(folder), "First", "run-1"]) == 0
    # A Trainer of this run would go on from there after it was killed.
    assert checkpoint_folder.folder() == folder.parent / "checkpoints"


@pytest.mark.parametrize("held", ["First.lock", os.path.join("..", LOCK_FILE)])
def test_another_attempt_or_a_local_run_keeps_it_out(
    held: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(folder / held, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main([str(folder), "First", "run-1"]) == FAILED
        assert "another attempt" in capsys.readouterr().err


@pytest.mark.parametrize(("one_at_a_time", "status"), [(True, FAILED), (False, 0)])
def test_nodes_run_at_once_where_ml_metadata_takes_several_writers(
    one_at_a_time: bool, status: int, folder: Path
) -> None:
    path = folder / compiled.GRAPH_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"one_at_a_time": one_at_a_time}))
    with open(folder / ".." / LOCK_FILE, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as another node holds it
        assert main([str(folder), "First", "run-1"]) == status


def test_data_that_changed_is_not_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = compile_two_nodes(tmp_path)
    trap(tmp_path).write_text("other data")
    assert main([str(folder), "First", "run-1"]) == WRONG_SETTING
    assert capsys.readouterr().err == "error: other data\n"
