"""The pipeline under the tfx command line."""

import subprocess
import sys
from pathlib import Path

from tests.e2e.harness import PROJECT, environment, finished_run

TFX = Path(sys.executable).parent / "tfx"


def tfx(*arguments: str, home: Path, output: Path) -> subprocess.CompletedProcess:
    """Runs a tfx command from a folder that has nothing to do with the project."""
    return subprocess.run(
        [str(TFX), *arguments, "--engine=local"],
        cwd=home,
        env=environment(
            DATASET="digits", OUTPUT=output, EPOCHS="5", RECIPES="float32", MIN_ACCURACY="0.9"
        )
        | {"HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def test_create_and_run(tmp_path: Path) -> None:
    home, output = tmp_path / "home", tmp_path / "output"
    home.mkdir()
    runner = PROJECT / "pipeline" / "local_runner.py"

    created = tfx("pipeline", "create", f"--pipeline_path={runner}", home=home, output=output)
    assert created.returncode == 0, created.stdout
    assert 'Pipeline "mnist-jax-digits" created successfully.' in created.stdout
    assert not (output / "pipeline" / "Trainer").exists()

    ran = tfx("run", "create", "--pipeline_name=mnist-jax-digits", home=home, output=output)
    assert ran.returncode == 0, ran.stdout
    run = finished_run(PROJECT, output, ran.returncode, ran.stdout)
    assert [model["blessed"] for model in run.comparison()["models"]] == [True, True]
    assert len(run.pushed()) == 2
