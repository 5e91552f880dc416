"""Runs of the whole pipeline, as a user starts them: a process each, in a copy of the project."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import numpy as np

from data.files import PROJECT_ROOT
from modules.training.saved.variables import named_arrays
from pipeline.metadata.connection import open_store
from tests.support.machine import environment, heed_hangups

RUNNER = "pipeline.local_runner"
PATIENCE_S = 900
# Runs are compared with each other, and not all of them find what else is installed beside them.
_RUNTIMES = {"RUNTIMES": "xnnpack,builtin"}
PIPELINE_NAME = "mnist-jax-digits"


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run."""

    project: Path
    output: Path
    status: int
    text: str  # what the terminal showed
    comparison_json: str  # as it was after this run; a later one may replace the file

    def component_lines(self) -> dict[str, str]:
        """Returns what the terminal showed of each component: "cached" or its time."""
        return dict(re.findall(r"^\[ *\d+/\d+\] (\S+) +(\S.*)$", self.text, re.MULTILINE))

    def store(self) -> mlmd.MetadataStore:
        """Opens the SQLite store for reading."""
        return open_store(str(self.output / "metadata.db"))

    def comparison(self) -> dict[str, Any]:
        return json.loads(self.comparison_json)

    def verdict(self) -> list[dict[str, Any]]:
        """Returns comparison.json's models, less what is timed or depends on a path.

        The loss is rounded: Beam adds it up in whatever order, in float32.
        """
        models = self.comparison()["models"]
        for model in models:
            for part in (model["metrics"], model["hard"]):
                part["loss"] = round(part["loss"], 6)
            varying = ("max_bytes", "max_loss_difference", "max_evaluation_difference")
            model["checks"] = [check for check in model["checks"] if check["name"] not in varying]
            for volatile in ("latency_us", "pushed_to", "bytes"):
                del model[volatile]
            for found in model["runtimes"].values():
                del found["ms_per_image"]
        return models

    def pushed(self) -> list[Path]:
        """Returns every folder that a Pusher filled."""
        return sorted(self.output.glob("serving/*")) + sorted(self.output.glob("device/*"))

    def parameters(self) -> dict[str, np.ndarray]:
        """Returns the variables of the last trained model."""
        models = sorted(
            self.output.glob("pipeline/Trainer/model/*"), key=lambda path: int(path.name)
        )
        return named_arrays(models[-1])


def environment_of_run(**settings: str | Path) -> dict[str, str]:
    """Returns the environment of a run with these settings."""
    return environment(**{**_RUNTIMES, **settings})


def run_pipeline(
    project: Path,
    before: Sequence[str] = (),
    machine: Mapping[str, str] = {},
    **settings: str | Path,
) -> Run:
    """Runs the pipeline of the project in `project` to its end.

    Args:
      project: what to run.
      before: of the command, as to have it traced.
      machine: environment variables other than settings.
      **settings: of the run.
    """
    done = subprocess.run(
        [*before, sys.executable, "-m", RUNNER],
        cwd=project,
        env={**environment_of_run(**settings), **machine},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )
    return finished_run(project, Path(settings["OUTPUT"]), done.returncode, done.stdout)


@contextlib.contextmanager
def started(project: Path, log: Path, **settings: str | Path) -> Iterator[subprocess.Popen]:
    """Starts a run whose terminal is the file `log`; kills it when the block ends before it."""
    with open(log, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", RUNNER],
            cwd=project,
            env=environment_of_run(**settings),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=heed_hangups,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill_when_shown(sign: str, project: Path, log: Path, **settings: str | Path) -> None:
    """Starts a run and sends SIGKILL as soon as its terminal shows `sign`."""
    with started(project, log, **settings) as process:
        wait_until_shown(sign, process, log)


def wait_until_shown(sign: str, process: subprocess.Popen, log: Path, after: str = "") -> None:
    """Waits until the terminal of a started process, or its log, shows `sign`, and that `after`."""
    deadline = time.monotonic() + PATIENCE_S
    while sign not in log.read_text().partition(after or "\0")[2 if after else 0]:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def finished_run(project: Path, output: Path, status: int, text: str) -> Run:
    """Puts together what a process left; without a report, there is no comparison."""
    report = output / "report" / "comparison.json"
    return Run(project, output, status, text, report.read_text() if report.exists() else "")


def copy_project(destination: Path) -> Path:
    """Copies what runs, so that a test may change it."""
    for folder in ("data", "docs", "modules", "pipeline"):
        shutil.copytree(
            PROJECT_ROOT / folder,
            destination / folder,
            ignore=shutil.ignore_patterns("__pycache__", "cache"),
        )
    shutil.copy(PROJECT_ROOT / "README.md", destination)
    return destination
