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
        f"small: 30 training and 20 eval images, 10 classes; small from {folder}\n"
    )


def test_digits_go_into_the_cache_folder(tmp_path: Path) -> None:
    done = run("digits", "--cache-dir", tmp_path / "cache")
    assert done.stdout.startswith("digits: 1433 training and 364 eval images, 10 classes; ")
    assert (tmp_path / "cache" / "digits").is_dir()


def test_error_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = run("mnist", "--mnist-dir", tmp_path / "none", "--cache-dir", tmp_path / "cache")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'none'}: no such folder")
    assert done.stderr.count("\n") == 1
