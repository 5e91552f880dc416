"""Cleaning up after runs that were stopped, in the store and in the folders of real executions."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model

from pipeline import pusher, runs, staging, stores, version_writer
from pipeline.config import PROJECT_ROOT, PipelineConfig
from pipeline.metadata_store import connection_config, open_store
from pipeline.recovery import recover
from tests.pipeline.push_pipeline import check, made_config, push, recorded, texts
from tests.small_disk import SmallDisk

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


class Unrecorded(pusher.Executor):
    """Is stopped when the version is there, and TFX does not know it yet."""

    def Do(self, *args: object) -> None:  # noqa: N802 - TFX's name
        """Pushes."""
        super().Do(*args)
        raise KeyboardInterrupt


class Half(pusher.Executor):
    """Fails half-way and cannot clean up, beside another push that is at work."""

    def Do(self, inputs: object, outputs: object, properties: dict[str, str]) -> None:  # noqa: N802
        """Makes the folder aside."""
        folder = json.loads(properties["push_destination"])["filesystem"]["base_directory"]
        for push_id in (self._push_id(), "f" * 16):
            (Path(folder) / f"{version_writer.ASIDE}{push_id}").mkdir(parents=True)
        raise ValueError("the disk is gone")


def run(config: PipelineConfig, *nodes: object) -> None:
    pipeline = Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=list(nodes),
        metadata_connection_config=connection_config(config.metadata_location),
        enable_cache=True,
    )
    LocalDagRunner().run(pipeline)


def stop(config: PipelineConfig, *nodes: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(config, *nodes)


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
    assert list(recover(config)) == []
    assert not config.metadata_file.exists()
    run(config, Finished(number=1))
    before = paths(config.output)
    assert list(recover(config)) == []
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
    assert list(recover(config)) == [line.replace(told, done)]
    assert executions(store, "ours")[2] == ("Stopped", "FAILED")
    left = {path for path in paths(config.pipeline_root) if any(c.isdigit() for c in path)}
    assert left == {path for path in finished if any(c.isdigit() for c in path)}
    assert list(recover(config)) == []

    run(config, Finished(number=2).with_id("Stopped"))
    assert executions(store, "ours")[3:] == [("Stopped", "COMPLETE")]


def test_failed_executions_of_other_reasons_and_other_pipelines_are_left_alone(
    config: PipelineConfig,
) -> None:
    other = PipelineConfig(config.dataset, config.output, name="other")
    stop(other, Stopped(number=1))
    before = paths(config.output)
    assert list(recover(config)) == []
    assert paths(config.output) == before
    assert executions(open_store(config.metadata_location), "other") == [("Stopped", "RUNNING")]


def test_what_a_run_elsewhere_has_marked_is_removed_here(config: PipelineConfig) -> None:
    stop(config, Stopped(number=1))
    assert len(list(recover(config))) == 1
    left = Path(config.pipeline_root, "Stopped", "model", "1")
    left.mkdir(parents=True)
    assert list(recover(config)) == [f"Stopped: execution 1 was killed, removed {left}"]
    assert not left.exists()


@pytest.fixture(params=["OUTPUT", "PUSH_TO"])
def pushing(
    request: pytest.FixtureRequest, config: PipelineConfig, tmp_path: Path
) -> PipelineConfig:
    """Where versions go: to OUTPUT, or to a place where others push, too."""
    if request.param == "OUTPUT":
        return config
    return dataclasses.replace(config, push_to=str(tmp_path / "shared"))


def versions_of_others(config: PipelineConfig) -> set[str]:
    """Pushes a version in the name of another pipeline, and makes two that nobody pushed."""
    version = version_writer.push({"a": Path(__file__)}, config.serving_dir, "b" * 16, "other")
    for name in ("17", "18"):
        Path(config.serving_dir, name).mkdir()
    return {Path(version).name, "17", "18"}


def test_half_a_push_that_failed_is_removed_and_no_other(pushing: PipelineConfig) -> None:
    others = versions_of_others(pushing)
    with pytest.raises(ValueError, match="the disk is gone"):
        push(pushing, "a", Half)
    folder = Path(pushing.serving_dir)
    [ours, theirs] = sorted(folder.glob(f"{version_writer.ASIDE}*"))
    assert list(recover(pushing, dry_run=True)) == [
        f"Pusher: execution 2 failed, would remove {ours}"
    ]
    assert ours.exists()

    # By another way to the same folder, it is found once.
    link = pushing.output.with_name(f"{pushing.output.name}-link")
    link.symlink_to(pushing.output)
    moved = dataclasses.replace(pushing, output=link)
    assert len(list(recover(moved))) == 1
    assert {path.name for path in folder.iterdir()} == {*others, theirs.name}
    assert list(recover(pushing)) == []


def test_a_version_that_was_not_recorded_is_not_pushed_again(pushing: PipelineConfig) -> None:
    push(pushing, "a")
    with pytest.raises(KeyboardInterrupt):
        push(pushing, "b", Unrecorded)
    assert texts(pushing) == ["a", "b"]
    before = sorted(Path(pushing.serving_dir).iterdir())
    push(pushing, "b")
    check(pushing, "b")
    assert sorted(Path(pushing.serving_dir).iterdir()) == before


def test_a_version_that_was_not_recorded_goes_when_another_model_is_pushed(
    pushing: PipelineConfig,
) -> None:
    push(pushing, "a")
    with pytest.raises(KeyboardInterrupt):
        push(pushing, "b", Unrecorded)
    others = versions_of_others(pushing)
    before = set(os.listdir(pushing.serving_dir))
    [unrecorded] = before - others - recorded(pushing)
    push(pushing, "c")
    now = set(os.listdir(pushing.serving_dir))
    assert before - now == {unrecorded} and now == recorded(pushing) | others


def test_back_at_an_earlier_model_a_version_that_was_not_recorded_goes(
    pushing: PipelineConfig,
) -> None:
    """That model's push comes from the cache, so that nothing is pushed at all."""
    push(pushing, "a")
    with pytest.raises(KeyboardInterrupt):
        push(pushing, "b", Unrecorded)
    push(pushing, "a")
    check(pushing, "a")
    assert texts(pushing) == ["a"]


def test_on_a_full_disk_it_fails_in_a_sentence_and_the_next_run_pushes(
    config: PipelineConfig, small_disk: SmallDisk
) -> None:
    pushing = dataclasses.replace(config, push_to=str(small_disk.folder))
    push(pushing, "a")
    filler = small_disk.fill()
    with pytest.raises(version_writer.PushError, match=r"serving \(No space left on device\)"):
        push(pushing, "b")
    check(pushing, "a")
    filler.unlink()
    push(pushing, "b")
    check(pushing, "b")
    assert texts(pushing) == ["a", "b"]


class FillsDisk(pusher.Executor):
    """Has ML Metadata's disk full when the version is there."""

    def Do(self, *args: object) -> None:  # noqa: N802 - TFX's name
        """Pushes."""
        super().Do(*args)
        SmallDisk.fill_folder(Path(os.environ["FILLED"]))


def test_a_push_that_a_full_disk_kept_from_being_recorded_is_not_repeated(
    config: PipelineConfig, small_disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk.remake(1024)
    monkeypatch.setenv("FILLED", str(small_disk.folder))
    pushing = dataclasses.replace(config, output=small_disk.folder, push_to=str(tmp_path / "roomy"))
    push(pushing, "a")
    with pytest.raises(Exception, match="full"):
        push(pushing, "b", FillsDisk)
    assert texts(pushing) == ["a", "b"]
    (small_disk.folder / "filler").unlink()
    push(pushing, "b")
    check(pushing, "b")
    assert texts(pushing) == ["a", "b"]


def test_killed_at_random(tmp_path: Path) -> None:
    """In a process that can be forked: `python -m tests.pipeline.push_faults 50` tries more."""
    in_memory = "/dev/shm" if os.path.isdir("/dev/shm") else tmp_path
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.push_faults", "6", "--folder", in_memory],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
