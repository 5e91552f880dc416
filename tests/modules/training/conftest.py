"""Small trainings, and what a training imports."""

import json
import subprocess
import sys

import pytest

from modules.training import loop
from tests.modules.training.small_training import (
    FOUR_STEPS,
    HALVES,
    PROJECT_ROOT,
    SMALL,
    Data,
    make_few,
    make_halves,
)


@pytest.fixture(scope="session")
def halves() -> Data:
    """200 images that are easy to tell apart."""
    return make_halves()


@pytest.fixture(scope="session")
def small_result(halves: Data) -> loop.TrainResult:
    """What SMALL makes of `halves`."""
    return loop.train(HALVES, *halves, SMALL)


@pytest.fixture(scope="session")
def four_steps() -> loop.TrainResult:
    """What FOUR_STEPS makes of `make_few`."""
    return loop.train(HALVES, *make_few(), FOUR_STEPS)


@pytest.fixture(scope="session")
def imported_by_training() -> set[str]:
    """The names of all modules that are there after `import modules.training.loop`."""
    script = "import json, sys, modules.training.loop; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))
