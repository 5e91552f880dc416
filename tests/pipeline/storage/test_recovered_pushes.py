"""What becomes of pushes that failed, were killed or went unrecorded, in the run that follows."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from pipeline.components import pusher
from pipeline.config import PipelineConfig
from pipeline.metadata.half_done import HalfDone
from pipeline.storage import version_writer
from tests.pipeline.storage.push_pipeline import check, made_config, push, recorded, texts
from tests.support.small_disk import SmallDisk


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


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    return made_config(tmp_path)


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
    assert list(HalfDone.of_pipeline(pushing).recover(dry_run=True)) == [
        f"Pusher: execution 2 failed, would remove {ours}"
    ]
    assert ours.exists()

    # By another way to the same folder, it is found once.
    link = pushing.output.with_name(f"{pushing.output.name}-link")
    link.symlink_to(pushing.output)
    moved = dataclasses.replace(pushing, output=link)
    assert len(list(HalfDone.of_pipeline(moved).recover())) == 1
    assert {path.name for path in folder.iterdir()} == {*others, theirs.name}
    assert list(HalfDone.of_pipeline(pushing).recover()) == []


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
    """In a process that can be forked; `tests.pipeline.storage.push_faults 50` tries more."""
    in_memory = "/dev/shm" if os.path.isdir("/dev/shm") else tmp_path
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.storage.push_faults", "6", "--folder", in_memory],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
