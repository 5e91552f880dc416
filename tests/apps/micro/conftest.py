"""A pushed model in integers, and what `make micro` makes of it."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from apps.micro import model_file, samples, tflm
from apps.micro.writing import Found
from data.files import PROJECT_ROOT
from serve.client import package
from tests.support import device_tools, machine
from tests.support.digit_models import DigitModels
from tests.support.pushed import push


@dataclasses.dataclass(frozen=True)
class Made:
    """What a command has done.

    Attributes:
      status: its exit status.
      out: what it printed.
      err: what it said of errors.
      folder: with the files.
    """

    status: int
    out: str
    err: str
    folder: Path


@pytest.fixture(scope="session")
def pushed(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUTPUT with `int8_io` and another model."""
    return push(tmp_path_factory.mktemp("for_micro") / "digits", digit_models.tflite_paths)


@pytest.fixture(scope="session")
def settings(pushed: Path, digit_models: DigitModels) -> dict[str, str]:
    """Those of a command that takes `pushed` and its data set."""
    cache = digit_models.files.location.parent
    return {"OUTPUT": str(pushed), "DATASET": "digits", "DATA_CACHE": str(cache)}


def make_micro(settings: dict[str, str]) -> Made:
    """Runs the command as `make micro` does."""
    device_tools.needs_tflite_micro()
    device_tools.run_tool("micro", "python", "--version")
    done = subprocess.run(
        [sys.executable, "-m", "apps.micro"],
        cwd=PROJECT_ROOT,
        env=machine.environment(**settings),
        capture_output=True,
        text=True,
        timeout=600,
    )
    return Made(done.returncode, done.stdout, done.stderr, Path(settings["OUTPUT"], "micro"))


@pytest.fixture(scope="session")
def made(settings: dict[str, str]) -> Made:
    """What it makes of `pushed`."""
    return make_micro(settings)


@pytest.fixture(scope="session")
def found(settings: dict[str, str], made: Made) -> Found:
    """What the command knew when it wrote the files, but for Vela's figures."""
    pushed = package.find(settings, False)
    model = model_file.find(pushed)
    chosen = samples.choose(settings, pushed.task, model)
    outputs = tflm.ask(model, chosen.inputs).outputs
    return Found(pushed.task, model, chosen, outputs, arena_bytes=40_000, npus=())
