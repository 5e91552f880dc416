"""The pipeline comes to the same on every runner of Beam's that can be run here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.beam_runners import differences, results
from pipeline import job_server
from pipeline.exit_status import NOT_BLESSED
from tests.e2e.harness import PROJECT, RUNNER, environment


def results_on(runner: str, output: Path, *prefix: str | Path) -> dict[str, float]:
    """Runs the pipeline, by the command `prefix` if there is one, and returns its results."""
    settings = {"EPOCHS": "1", "RECIPES": "float32", "MIN_ACCURACY": "0", "BEAM_RUNNER": runner}
    done = subprocess.run(
        [*prefix, sys.executable, "-m", RUNNER],
        cwd=PROJECT,
        env=environment(DATASET="digits", OUTPUT=output, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    # After one epoch, a limit may be missed.
    assert done.returncode in (0, NOT_BLESSED), done.stdout
    return results(output)


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return results_on("in_memory", tmp_path_factory.mktemp("in_memory"))


def test_what_is_compared(in_memory: dict[str, float]) -> None:
    assert in_memory["examples/Split-train"] == 1433
    assert in_memory["examples/Split-hard"] == in_memory["examples/Split-eval"] == 364
    assert in_memory["saved_model/metrics/loss"] > 0
    assert 0 < in_memory["statistics/Split-train/image_floats/mean"] < 1
    assert in_memory["float32/hard/accuracy"] < 1
    changed = in_memory | {"examples/Split-train": 1432}
    assert differences(in_memory, changed) == {"examples/Split-train": pytest.approx(1 / 1433)}


def test_portable_comes_to_the_same(in_memory: dict[str, float], tmp_path: Path) -> None:
    found = differences(in_memory, results_on("portable", tmp_path))
    assert all(value <= 1e-6 for value in found.values()), found


def test_flink_comes_to_the_same(in_memory: dict[str, float], tmp_path: Path) -> None:
    missing = [name for name in ("java",) if not shutil.which(name)]
    missing += [str(path) for path in [job_server.jar_path("flink")] if not path.exists()]
    if missing and os.environ.get("REQUIRE_FLINK") == "1":
        pytest.fail(f"REQUIRE_FLINK=1, but there is no {missing[0]}")
    if missing:
        pytest.skip(f"there is no {missing[0]}")
    alone = ("sh", PROJECT / "scripts" / "loopback_only.sh")
    found = differences(in_memory, results_on("flink", tmp_path, *alone))
    assert all(value <= 1e-6 for value in found.values()), found
