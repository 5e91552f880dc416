"""The pipeline under the tfx command line."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from data.files import PROJECT_ROOT
from tests.e2e.support.harness import environment, finished_run
from tests.e2e.support.in_process import as_started

RUNNER = PROJECT_ROOT / "pipeline" / "local_runner.py"
NAME = "mnist-jax-digits"


def variables(home: Path) -> dict[str, str]:
    """The environment of every command; its home has nothing to do with the project."""
    settings = {"EPOCHS": "3", "RECIPES": "float32", "MIN_ACCURACY": "0.5"}
    return environment(DATASET="digits", OUTPUT=home / "output", **settings) | {"HOME": str(home)}


def pipeline_command(home: Path, verb: str, *arguments: str) -> str:
    """Runs `tfx pipeline VERB` in this process and returns what it printed."""
    from tfx.tools.cli.cli_main import cli_group  # takes its time

    command = ["pipeline", verb, "--engine=local", *arguments]
    with as_started(variables(home), home / "terminal.txt", ["tfx", *command], home):
        done = CliRunner().invoke(cli_group, command)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_command(tmp_path: Path) -> None:
    path = f"--pipeline_path={RUNNER}"
    assert "Pipeline compiled successfully." in pipeline_command(tmp_path, "compile", path)
    created = pipeline_command(tmp_path, "create", path)
    assert f'Pipeline "{NAME}" created successfully.' in created
    assert not (tmp_path / "output" / "pipeline").exists()

    # What exists is updated, then run.
    made = subprocess.run(
        ["make", "--no-print-directory", "-C", PROJECT_ROOT, "tfx"],
        cwd=tmp_path,
        env=variables(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )
    assert "$ tfx pipeline update --engine=local\n" in made.stdout
    assert made.returncode == 0, made.stdout
    run = finished_run(PROJECT_ROOT, tmp_path / "output", made.returncode, made.stdout)
    assert [model["blessed"] for model in run.comparison()["models"]] == [True, True]
    assert len(run.pushed()) == 2

    assert f"\n{NAME}\n" in pipeline_command(tmp_path, "list")
    deleted = pipeline_command(tmp_path, "delete", f"--pipeline_name={NAME}")
    assert f'Pipeline "{NAME}" deleted successfully.' in deleted
    assert NAME not in pipeline_command(tmp_path, "list")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"HOME": "/proc/none"}, "error: HOME=/proc/none: cannot write there"),
        ({"TMPDIR": "/no/such"}, "error: TMPDIR=/no/such: cannot write there"),
        ({"PYTHONOPTIMIZE": "2"}, "error: PYTHONOPTIMIZE=2"),
    ],
)
def test_what_tfx_cannot_do_with_is_told_before_it(changed: dict[str, str], words: str) -> None:
    made = subprocess.run(
        ["make", "--no-print-directory", "-C", PROJECT_ROOT, "tfx"],
        env=environment() | changed,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 2 and made.stdout == ""
    assert words in made.stderr


def test_a_wrong_setting_ends_make_tfx_with_its_sentence(tmp_path: Path) -> None:
    made = subprocess.run(
        ["make", "--no-print-directory", "-C", PROJECT_ROOT, "tfx"],
        env=environment(DATASET="digits", EPOCHS="none") | {"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert made.returncode != 0
    assert "error: EPOCHS=none: expected a whole number" in made.stdout
    assert "tfx run create" not in made.stdout
