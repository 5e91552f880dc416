"""A training that was interrupted ends with the bits of one that was not."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modules.training import loop
from modules.training.saved import checkpoints
from tests.modules.training.small_training import (
    HALVES,
    SMALL,
    assert_same_bits,
    make_riddle,
    start,
)

KEY = "riddle"
# What a training leaves that is killed after the third epoch, or in the middle of saving it.
LEFT = {
    "epoch saved": {"2", "3"},
    "saving": {"1", "2", "3.orbax-checkpoint-tmp"},
    "removing": {"1", "2", "3"},
}
LAST_BEFORE = 3  # the epoch after which the training is interrupted


class HaltError(Exception):
    """Stands for whatever ends a training early."""


def interrupt(metrics: loop.EpochMetrics) -> None:
    if metrics.epoch == LAST_BEFORE:
        raise HaltError


@pytest.fixture(scope="module")
def unbroken() -> loop.TrainResult:
    return loop.train(HALVES, *make_riddle(), SMALL)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a training that an exception ended."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(HaltError):
        saved = checkpoints.Checkpoints(folder, KEY)
        loop.train(HALVES, *make_riddle(), SMALL, on_epoch=interrupt, checkpoints=saved)
    return folder


@pytest.fixture
def folder(interrupted: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(interrupted, tmp_path / "copy")


def go_on(folder: Path) -> tuple[loop.TrainResult, list[int], list[str]]:
    """Trains to the end; returns the result, the epochs that were trained, and what was told."""
    lines: list[str] = []
    trained: list[int] = []
    told: list[loop.EpochMetrics] = []
    saved = checkpoints.Checkpoints(folder, KEY, lines.append)
    result = loop.train(
        HALVES, *make_riddle(), SMALL, lambda epoch, _: trained.append(epoch), told.append, saved
    )
    assert told == result.history  # of the epochs before the interruption, too
    assert result.trained_images == len(trained) * 11 * SMALL.batch_size
    return result, trained, lines


def test_no_epoch_is_without_effect(unbroken: loop.TrainResult) -> None:
    """Otherwise nothing here would prove anything."""
    losses = [metrics.train_loss for metrics in unbroken.history]
    assert all(0.1 < loss < 2 for loss in losses) and len(set(losses)) == 4


def test_after_an_exception_it_goes_on_and_ends_with_the_same_bits(
    unbroken: loop.TrainResult, folder: Path
) -> None:
    result, trained, lines = go_on(folder)
    assert trained == [4]
    assert lines == [f"going on after epoch 3, saved in {folder / KEY}"]
    assert_same_bits(result, unbroken)


def test_after_the_last_epoch_nothing_is_trained_again(
    unbroken: loop.TrainResult, folder: Path
) -> None:
    go_on(folder)
    result, trained, lines = go_on(folder)
    assert trained == []
    assert lines == [f"going on after epoch 4, saved in {folder / KEY}"]
    assert_same_bits(result, unbroken)


def flip_a_byte(epoch: Path) -> None:
    numbers = max((epoch / "state").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(numbers.read_bytes())
    content[len(content) // 2] ^= 1
    numbers.write_bytes(content)


def cut_a_file(epoch: Path) -> None:
    numbers = max((epoch / "state").rglob("*"), key=lambda path: path.stat().st_size)
    os.truncate(numbers, numbers.stat().st_size // 2)


def delete_the_numbers(epoch: Path) -> None:
    shutil.rmtree(epoch / "state")


def empty_the_facts(epoch: Path) -> None:
    (epoch / "facts" / "metadata").write_bytes(b"")


@pytest.mark.parametrize("damage", [flip_a_byte, cut_a_file, delete_the_numbers, empty_the_facts])
def test_after_damage_it_goes_on_from_the_epoch_before(
    unbroken: loop.TrainResult, folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder / KEY / "3")
    result, trained, (warning, going_on) = go_on(folder)
    assert trained == [3, 4]
    assert f"{folder / KEY / '3'} is damaged" in warning
    assert going_on == f"going on after epoch 2, saved in {folder / KEY}"
    assert_same_bits(result, unbroken)


def test_with_both_damaged_it_starts_from_scratch(unbroken: loop.TrainResult, folder: Path) -> None:
    flip_a_byte(folder / KEY / "3")
    delete_the_numbers(folder / KEY / "2")
    result, trained, warnings = go_on(folder)
    assert trained == [1, 2, 3, 4]
    assert len(warnings) == 2 and all("is damaged" in warning for warning in warnings)
    assert_same_bits(result, unbroken)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The checkpoints of trainings that were killed, by the moment."""
    folders = {moment: tmp_path_factory.mktemp(moment) for moment in LEFT}
    processes = [
        start("tests.modules.training.saved.test_resume", folder, moment)
        for moment, folder in folders.items()
    ]
    for process in processes:
        shown, _ = process.communicate(timeout=900)
        assert process.returncode == -signal.SIGKILL, shown
    return folders


@pytest.mark.parametrize(
    ("moment", "expected"), [("epoch saved", [4]), ("saving", [3, 4]), ("removing", [4])]
)
def test_after_sigkill_it_goes_on_and_ends_with_the_same_bits(
    unbroken: loop.TrainResult, killed: dict[str, Path], moment: str, expected: list[int]
) -> None:
    folder = killed[moment]
    assert {path.name for path in (folder / KEY).iterdir()} == LEFT[moment]
    result, trained, _ = go_on(folder)
    assert trained == expected
    assert_same_bits(result, unbroken)
    assert {path.name for path in (folder / KEY).iterdir()} == {"3", "4"}


def kill_when(moment: str) -> Callable[[str, tuple], None]:
    """Returns an audit hook that kills this process in the middle of what it is doing."""
    removing = False  # the first epoch, since the third is saved

    def hook(event: str, arguments: tuple) -> None:
        nonlocal removing
        path = str(arguments[0]) if arguments else ""
        removing |= event == "shutil.rmtree" and path.endswith(f"/{KEY}/1")
        moments = {
            "saving": event == "os.rename" and path.endswith("/3.orbax-checkpoint-tmp"),
            "removing": event == "os.rmdir" and removing,  # so the files in it are gone
        }
        if moments.get(moment):
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def main(folder: str, moment: str) -> None:
    """Trains until it is killed: after the third epoch, or earlier, in the middle of saving it."""

    def on_epoch(metrics: loop.EpochMetrics) -> None:
        if metrics.epoch == LAST_BEFORE and moment == "epoch saved":
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill_when(moment))
    saved = checkpoints.Checkpoints(folder, KEY)
    loop.train(HALVES, *make_riddle(), SMALL, on_epoch=on_epoch, checkpoints=saved)


if __name__ == "__main__":
    main(*sys.argv[1:])
