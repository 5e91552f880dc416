"""Components that know local files only, in real runs with their artifacts in object stores."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.components import Pusher
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model, String

from data.files import PROJECT_ROOT
from modules.training.config import TrainConfig
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.storage import staging, store_copies, stores
from tests.support.digit_models import DigitModels

NAME = "small"
BIG = 64


@component
def Writer(  # noqa: N802
    text: Parameter[str], model: OutputArtifact[Model], note: OutputArtifact[String]
):
    """Writes as our components do: with pathlib, below the URI."""
    folder = Path(model.uri)
    assert folder.is_dir() and not list(folder.iterdir())
    for number in range(BIG):
        (folder / f"{number:02}").write_text(text)
    model.set_string_custom_property("written_to", model.uri)
    note.value = f"note: {text}"
    if text == "bad":
        raise ValueError("told to fail")


@component
def Reader(  # noqa: N802
    model: InputArtifact[Model], note: InputArtifact[String], copied: OutputArtifact[Model]
):
    """Reads in the same way."""
    files = sorted(Path(model.uri).iterdir())
    assert len(files) == BIG
    Path(copied.uri, "all").write_text(files[0].read_text() + "; " + note.value)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where copies are made; nothing may be left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert not list(folder.glob("staged-*"))


def metadata_file(folder: Path) -> Path:
    return folder / "metadata.db"


def run(folder: Path, root: str, text: str) -> None:
    writer = Writer(text=text)
    reader = Reader(model=writer.outputs["model"], note=writer.outputs["note"])
    components = [writer, reader]
    staging.stage(components, beam=True)
    connection = sqlite_metadata_connection_config(str(metadata_file(folder)))
    LocalDagRunner().run(Pipeline(NAME, root, connection, components, enable_cache=True))


def artifact(folder: Path, node: str, key: str) -> metadata_store_pb2.Artifact:
    """Of the last run."""
    store = open_store(str(metadata_file(folder)))
    return runs.output_artifacts(store, runs.run_executions(store, NAME)[node])[key]


def states(folder: Path) -> list[int]:
    store = open_store(str(metadata_file(folder)))
    return [execution.last_known_state for execution in store.get_executions()]


def test_artifacts_go_to_the_store_and_come_from_it(store: str, tmp_path: Path) -> None:
    run(tmp_path, store, "good")
    model, copied = artifact(tmp_path, "Writer", "model"), artifact(tmp_path, "Reader", "copied")
    assert model.uri.startswith(f"{store}/Writer/model/")
    assert len(stores.names(model.uri)) == BIG
    store_copies.download(copied.uri, tmp_path / "copy")
    assert (tmp_path / "copy" / "all").read_text() == "good; note: good"
    # What speaks of a local copy would be of no use to anybody later.
    assert model.custom_properties["written_to"].string_value == model.uri


def test_run_again_all_comes_from_the_cache(s3: str, tmp_path: Path) -> None:
    run(tmp_path, s3, "good")
    run(tmp_path, s3, "good")
    complete, cached = metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED
    assert states(tmp_path) == [complete, complete, cached, cached]


def test_a_component_that_fails_leaves_nothing_on_the_store(store: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="told to fail"):
        run(tmp_path, store, "bad")
    assert states(tmp_path) == [metadata_store_pb2.Execution.FAILED]
    file_system, path = stores.opened(f"{store}/Writer")
    assert file_system.find(path) == []


def test_an_upload_that_fails_leaves_nothing_and_the_next_run_is_whole(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_upload = store_copies.upload

    def upload_half(source: Path, uri: str) -> None:
        if "/model/" not in uri:  # the outputs come in any order
            return whole_upload(source, uri)
        whole_upload(source / "00", f"{uri}/00")
        raise OSError("the connection broke")

    monkeypatch.setattr(store_copies, "upload", upload_half)
    with pytest.raises(OSError, match="the connection broke"):
        run(tmp_path, s3, "good")
    assert states(tmp_path) == [metadata_store_pb2.Execution.FAILED]
    file_system, path = stores.opened(f"{s3}/Writer")
    assert file_system.find(path) == []

    monkeypatch.setattr(store_copies, "upload", whole_upload)
    run(tmp_path, s3, "good")
    assert len(stores.names(artifact(tmp_path, "Writer", "model").uri)) == BIG


_KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.storage import store_copies
from tests.pipeline.storage import test_staging

whole_upload = store_copies.upload

def upload_half(source, uri):
    if "/model/" not in uri:  # the outputs come in any order
        return whole_upload(source, uri)
    whole_upload(source / "00", uri + "/00")
    os.kill(os.getpid(), signal.SIGKILL)

store_copies.upload = upload_half
test_staging.run(Path(sys.argv[1]), sys.argv[2], "good")
"""


def test_an_upload_that_is_killed_is_never_read(s3: str, tmp_path: Path) -> None:
    """What it left is on the store, under the number of an execution that did not end."""
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), s3],
        cwd=PROJECT_ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert states(tmp_path) == [metadata_store_pb2.Execution.RUNNING]
    [part] = stores.names(f"{s3}/Writer/model")
    assert stores.names(f"{s3}/Writer/model/{part}") == ["00"]

    run(tmp_path, s3, "good")  # the Reader counts the files
    assert artifact(tmp_path, "Writer", "model").uri != f"{s3}/Writer/model/{part}"


def created(digit_models: DigitModels, tmp_path: Path, **fields: object) -> Pipeline:
    config = PipelineConfig(
        digit_models.files, tmp_path, TrainConfig(), ("float32", "int8"), tuner_trials=2, **fields
    )
    return create_pipeline(config)


def executors(pipeline: Pipeline) -> dict[str, type]:
    return {
        node.id: node.executor_spec.executor_class
        for node in pipeline.components
        if node.executor_spec and hasattr(node.executor_spec, "executor_class")
    }


def test_every_executor_is_staged_where_artifacts_are_in_a_store(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    plain = executors(created(digit_models, tmp_path))
    staged = executors(created(digit_models, tmp_path, root="s3://bucket/root"))
    assert staged.keys() == plain.keys() and len(staged) > 12
    for node, executor in plain.items():
        assert "Staged" not in executor.__name__
        assert issubclass(staged[node], executor) and staged[node] is not executor
        # As an orchestrator does, in a process of its own.
        assert getattr(staging, staged[node].__name__) is staged[node]
        assert staged[node].__module__ == staging.__name__


def test_those_on_beam_can_be_left_out(digit_models: DigitModels, tmp_path: Path) -> None:
    pipeline = created(digit_models, tmp_path, root="gs://bucket/root", stage_beam=False)
    for node, executor in executors(pipeline).items():
        is_staged = executor.__module__ == staging.__name__
        assert is_staged != issubclass(executor, BaseBeamExecutor), node


def test_beam_arguments_and_pushes_stay(digit_models: DigitModels, tmp_path: Path) -> None:
    pipeline = created(
        digit_models, tmp_path, root="s3://bucket/root", push_to="s3://other", beam_args=("--a=b",)
    )
    assert pipeline.pipeline_info.pipeline_root == "s3://bucket/root"
    [transform] = [node for node in pipeline.components if node.id == "Transform"]
    assert transform.executor_spec.beam_pipeline_args == ["--a=b"]
    pushers = [node for node in pipeline.components if isinstance(node, Pusher)]
    destinations = [node.exec_properties["push_destination"] for node in pushers]
    assert [text.count("s3://other/serving") for text in destinations] == [1, 0]
    assert [text.count("s3://other/device") for text in destinations] == [0, 1]


def test_a_name_that_is_no_executor_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = staging.nothing
