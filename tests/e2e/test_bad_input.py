"""Bad settings and bad data, as a user gives them: one sentence, a status, nothing pushed."""

import fcntl
import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.files import PROJECT_ROOT
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.resolve import resolve_dataset
from pipeline import local_runner
from tests.e2e.support.harness import RUNNER, environment
from tests.e2e.support.in_process import called

TRAIN_IMAGES, TRAIN_LABELS, EVAL_IMAGES, EVAL_LABELS = FILE_NAMES


def run_badly(output: Path, **settings: str | Path) -> str:
    """Runs with these settings and returns the one line of the error, the last one shown."""
    ended = called(
        local_runner.main, environment(**{"DATASET": "digits", "OUTPUT": output, **settings})
    )
    return error_of(ended.returncode, ended.stdout, output)


def start_badly(output: Path, project: Path = PROJECT_ROOT, **settings: str | Path) -> str:
    """Does the same in a process of its own, and as a user sees it."""
    done = subprocess.run(
        [sys.executable, "-m", RUNNER],
        cwd=project,
        env=environment(**{"DATASET": "digits", "OUTPUT": output, **settings}),
        capture_output=True,
        text=True,
        timeout=600,
    )
    return error_of(done.returncode, done.stderr, output)


def error_of(status: int, shown: str, output: Path) -> str:
    assert status == 2, shown
    assert not list(output.glob("serving/*")) + list(output.glob("device/*"))
    assert "Traceback" not in shown
    error = shown.strip().splitlines()[-1]
    assert error.startswith("error: "), shown
    return error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good data set of four small IDX files."""
    path = tmp_path / "mine"
    path.mkdir()
    for images, labels, count in (
        (TRAIN_IMAGES, TRAIN_LABELS, 50),
        (EVAL_IMAGES, EVAL_LABELS, 20),
    ):
        write_idx(path / images, np.full((count, 28, 28), 9, np.uint8) * np.eye(28, dtype=np.uint8))
        write_idx(path / labels, np.arange(count, dtype=np.uint8) % 10)
    return path


def truncate_gz(folder: Path) -> None:
    whole = gzip.compress((folder / TRAIN_IMAGES).read_bytes())
    (folder / TRAIN_IMAGES).unlink()
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(whole[: len(whole) // 2])


def wrong_magic(folder: Path) -> None:
    path = folder / TRAIN_IMAGES
    path.write_bytes(b"\x89PNG" + path.read_bytes()[4:])


def wrong_count(folder: Path) -> None:
    path = folder / EVAL_IMAGES
    path.write_bytes(path.read_bytes()[:-784])


def fewer_labels(folder: Path) -> None:
    write_idx(folder / TRAIN_LABELS, np.zeros(49, np.uint8))


def labels_that_are_none(folder: Path) -> None:
    write_idx(folder / EVAL_LABELS, np.full((20, 3), 77, np.uint8))


def images_not_28x28(folder: Path) -> None:
    write_idx(folder / TRAIN_IMAGES, np.zeros((50, 32, 32), np.uint8))


def no_files(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def missing_file(folder: Path) -> None:
    (folder / EVAL_LABELS).unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (truncate_gz, (f"{TRAIN_IMAGES}.gz",)),
        (wrong_magic, (TRAIN_IMAGES, "89 50 4e 47")),
        (wrong_count, (EVAL_IMAGES, "20")),
        (fewer_labels, (TRAIN_IMAGES, TRAIN_LABELS, "50", "49")),
        (labels_that_are_none, (EVAL_LABELS, "(20, 3)", "one-hot")),
        (images_not_28x28, ("mine", "28x28x1", "32x32x1")),
        (no_files, ("mine", "empty")),
        (missing_file, (EVAL_LABELS, "missing")),
    ],
)
def test_bad_data_is_named(
    damage: Callable[[Path], None], words: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    damage(folder)
    run = start_badly if damage is truncate_gz else run_badly
    error = run(tmp_path / "output", DATASET=folder)
    for word in words:
        assert word in error


def test_a_wrong_checksum_is_named(folder: Path, tmp_path: Path) -> None:
    error = run_badly(tmp_path / "output", DATASET="mnist", MNIST_DIR=folder)
    assert str(folder / TRAIN_IMAGES) in error and "SHA-256" in error


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DATASET": "cifar"}, ("cifar", "digits", "folder")),
        ({"IMAGE_SIZE": "huge"}, ("IMAGE_SIZE=huge", "1 to 224", "48x64")),
        ({"EPOCHS": "0"}, ("EPOCHS=0", "from 1 to")),
        ({"EPOCHS": "abc"}, ("EPOCHS=abc", "whole number")),
        ({"SEED": "-1"}, ("SEED=-1",)),
        ({"SEED": str(2**32)}, ("SEED=4294967296", "4294967295")),
        ({"TRIALS": "x"}, ("TRIALS=x", "whole number")),
        ({"TRIALS": "-1"}, ("TRIALS=-1", "from 0 to")),
        ({"RECIPES": "float32,int4"}, ("RECIPES=float32,int4", "'int4'", "dynamic_range")),
        ({"MIN_ACCURACY": "97"}, ("MIN_ACCURACY=97",)),
        ({"PIPELINE_NAME": "a b"}, ("PIPELINE_NAME=a b", "letters")),
        ({"METADATA": "postgresql://me@db/mlmd"}, ("METADATA=postgresql:", "mysql://USER@HOST")),
        ({"METADATA": "mysql://me@127.0.0.1:9/mlmd"}, ("127.0.0.1, port 9", "refused")),
        ({"BEAM_RUNNER": "storm"}, ("BEAM_RUNNER=storm", "flink")),
        ({"DATASET": "mnist", "MNIST_DIR": "/no/such/folder"}, ("/no/such/folder",)),
    ],
)
def test_bad_settings_are_named(
    settings: dict[str, str], words: tuple[str, ...], tmp_path: Path
) -> None:
    run = start_badly if settings == {"EPOCHS": "0"} else run_badly
    error = run(tmp_path / "output", **settings)
    for word in words:
        assert word in error


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    error = run_badly(tmp_path / "a-file" / "output")
    assert f"OUTPUT={tmp_path / 'a-file' / 'output'}" in error


def test_without_a_network_mnist_is_an_error_that_says_how_to_get_it(
    project: Path, tmp_path: Path
) -> None:
    proxy = "http://127.0.0.1:9"  # the discard port: nobody listens
    no_network = {"https_proxy": proxy, "HTTPS_PROXY": proxy, "no_proxy": ""}
    # The copy of the project has no data in its cache.
    error = start_badly(tmp_path / "output", project, DATASET="mnist", **no_network)
    assert "train-images" in error and "MNIST_DIR" in error and "DATASET=digits" in error


def test_two_runs_in_one_output_are_refused(tmp_path: Path) -> None:
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        error = run_badly(tmp_path)
    assert f"OUTPUT={tmp_path}" in error and "another run" in error


def test_a_folder_named_like_a_known_data_set_does_not_pass_for_it(folder: Path) -> None:
    assert resolve_dataset(str(folder), None, folder).name == "mine"
    for name in ("mnist", "digits"):
        assert resolve_dataset(str(folder.rename(folder.parent / name)), None, folder).name == (
            f"folder-{name}"
        )
        (folder.parent / name).rename(folder)
