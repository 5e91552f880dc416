"""`python -m data`: one line on success, one sentence and status 1 on error."""

import subprocess
import sys
from pathlib import Path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "data", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_summary(folder: Path, tmp_path: Path) -> None:
    done = run(folder, "--cache-dir", tmp_path / "cache")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"small: 30 training and 20 test images of 28x28, grey, 10 classes; small from {folder}\n"
        "  note: there are only 30 training images, too few to learn much from\n"
        "  note: there are only 20 test images, too few for a reliable accuracy\n"
    )


def test_image_size(folder: Path) -> None:
    done = run(folder, "--image-size", "14x20")
    assert done.stdout.startswith("small-14x20: 30 training and 20 test images of 14x20, grey")
    wrong = run(folder, "--image-size", "big")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "error: --image-size: expected a number from 1 to 224, or two as 48x64 (height x width)\n",
    )


def test_digits_go_into_the_cache_folder(tmp_path: Path) -> None:
    done = run("digits", "--cache-dir", tmp_path / "cache")
    assert done.stdout.startswith("digits: 1433 training and 364 test images of 28x28, grey")
    assert (tmp_path / "cache" / "digits").is_dir()


def test_error_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = run("mnist", "--mnist-dir", tmp_path / "none", "--cache-dir", tmp_path / "cache")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'none'}: no such folder")
    assert done.stderr.count("\n") == 1
