"""The pipeline comes to the same on every runner of Beam's that can be run here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.beam_runners import differences, results
from data.errors import NOT_BLESSED
from data.files import PROJECT_ROOT
from pipeline.beam import job_server
from tests.e2e.support.harness import RUNNER, environment
from tests.e2e.support.in_process import run_here
from tests.e2e.support.on_flink_cluster import ADDRESS
from tests.support.machine import has_network_namespaces, lacks

SETTINGS = {
    **{"DATASET": "digits", "EPOCHS": "1"},
    **{"RECIPES": "float32", "MIN_ACCURACY": "0"},
}
# An engine lives for minutes: what Java learns of it for a longer life costs more than it saves.
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


def results_here(runner: str, output: Path) -> dict[str, float]:
    """Runs the pipeline in this process, and returns its results."""
    run = run_here(**SETTINGS, OUTPUT=output, BEAM_RUNNER=runner)
    # After one epoch, a limit may be missed.
    assert run.status in (0, NOT_BLESSED), run.text
    return results(output)


def results_on(runner: str, output: Path, *prefix: str | Path, args: str) -> dict[str, float]:
    """Does the same in a process of its own, by the command `prefix`."""
    settings = {**SETTINGS, "BEAM_RUNNER": runner, "BEAM_ARGS": args}
    done = subprocess.run(
        [*prefix, sys.executable, "-m", RUNNER],
        cwd=PROJECT_ROOT,
        env=environment(**settings, OUTPUT=output) | JAVA,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )
    assert done.returncode in (0, NOT_BLESSED), done.stdout
    return results(output)


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return results_here("in_memory", tmp_path_factory.mktemp("in_memory"))


def test_what_is_compared(in_memory: dict[str, float]) -> None:
    assert in_memory["examples/Split-train"] == 1433
    assert in_memory["examples/Split-hard"] == in_memory["examples/Split-eval"] == 364
    assert in_memory["saved_model/metrics/loss"] > 0
    assert 0 < in_memory["statistics/Split-train/image_floats/mean"] < 1
    assert in_memory["float32/hard/accuracy"] < 1
    changed = in_memory | {"examples/Split-train": 1432}
    assert differences(in_memory, changed) == {"examples/Split-train": pytest.approx(1 / 1433)}


def test_portable_comes_to_the_same(in_memory: dict[str, float], tmp_path: Path) -> None:
    found = differences(in_memory, results_here("portable", tmp_path))
    assert all(value <= 1e-6 for value in found.values()), found


ON_CLUSTER = (sys.executable, "-m", "tests.e2e.support.on_flink_cluster")


@pytest.mark.parametrize(
    ("engine", "prefix", "beam_args"),
    [
        ("flink", (), ""),
        ("flink", ON_CLUSTER, f"--flink_master={ADDRESS} --parallelism=2"),
        ("spark", (), ""),
    ],
    ids=["flink", "flink cluster", "spark"],
)
def test_an_engine_comes_to_the_same(
    in_memory: dict[str, float],
    tmp_path: Path,
    engine: str,
    prefix: tuple[str | Path, ...],
    beam_args: str,
) -> None:
    """On one that Beam starts, and on two workers of Flink; see `lacks` for where it is missing."""
    jar = job_server.jar_path(engine)
    if not shutil.which("java") or not jar.exists():
        lacks(engine.upper(), f"there is no Java, or no {jar}: make {engine}-jar")
    if not has_network_namespaces():
        lacks(engine.upper(), "this system allows no network namespaces")
    alone = ("sh", PROJECT_ROOT / "scripts" / "loopback_only.sh")
    found = differences(in_memory, results_on(engine, tmp_path, *alone, *prefix, args=beam_args))
    assert all(value <= 1e-6 for value in found.values()), found
