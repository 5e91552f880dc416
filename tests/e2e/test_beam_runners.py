"""The pipeline comes to the same on every runner of Beam's that can be run here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.beam_runners import differences, newest, results, results_of_data
from data.errors import NOT_BLESSED
from data.files import PROJECT_ROOT
from pipeline.beam import job_server
from pipeline.verdict.tfma_results import EvaluatorMetrics, load_evaluation, read_metrics
from tests.e2e.support import on_flink_cluster, to_evaluator
from tests.e2e.support.harness import RUNNER, environment
from tests.e2e.support.in_process import run_here
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


def run_on(
    engine: str, module: str, output: Path, *prefix: str | Path, args: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a module on an engine, in a network of its own, by the command `prefix` if there is one.

    See `lacks` for where the engine is missing.
    """
    jar = job_server.jar_path(engine)
    if not shutil.which("java") or not jar.exists():
        lacks(engine.upper(), f"there is no Java, or no {jar}: make {engine}-jar")
    if not has_network_namespaces():
        lacks(engine.upper(), "this system allows no network namespaces")
    alone = ("sh", PROJECT_ROOT / "scripts" / "loopback_only.sh")
    settings = {**SETTINGS, "BEAM_RUNNER": engine, "BEAM_ARGS": args}
    return subprocess.run(
        [*alone, *prefix, sys.executable, "-m", module],
        cwd=PROJECT_ROOT,
        env=environment(**settings, OUTPUT=output) | JAVA,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )


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


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_an_engine_that_beam_starts_comes_to_the_same(
    in_memory: dict[str, float], tmp_path: Path, engine: str
) -> None:
    done = run_on(engine, RUNNER, tmp_path)
    assert done.returncode in (0, NOT_BLESSED), done.stdout
    found = differences(in_memory, results(tmp_path))
    assert all(value <= 1e-6 for value in found.values()), found


def test_each_component_on_two_workers_of_flink_comes_to_the_same(
    in_memory: dict[str, float], tmp_path: Path
) -> None:
    """What Transform made is in the model, and so in its metrics."""
    cluster = (sys.executable, "-m", on_flink_cluster.__name__)
    beam_args = f"--flink_master={on_flink_cluster.ADDRESS} --parallelism=2"
    done = run_on("flink", to_evaluator.__name__, tmp_path, *cluster, args=beam_args)
    assert done.returncode == 0, done.stdout
    uri = newest(tmp_path / "pipeline" / to_evaluator.EVALUATOR / "evaluation")
    evaluation, _ = load_evaluation(str(uri))
    ours = results_of_data(tmp_path) | named("float32", read_metrics(evaluation))
    models = ("saved_model/", "float32/hard/agreement")  # what has no Evaluator there, or needs two
    theirs = {name: in_memory[name] for name in in_memory if not name.startswith(models)}
    found = differences(theirs, ours)
    assert all(value <= 1e-6 for value in found.values()), found


def named(model: str, metrics: EvaluatorMetrics) -> dict[str, float]:
    """Returns an Evaluator's metrics by the names of `results`."""
    found = {
        "metrics/accuracy": metrics.accuracy,
        "metrics/loss": metrics.loss,
        "hard/accuracy": metrics.hard_accuracy,
        "hard/loss": metrics.hard_loss,
    }
    for label, accuracy in metrics.per_class_accuracy.items():
        found[f"per_class_accuracy/{label}"] = accuracy
    return {f"{model}/{name}": value for name, value in found.items()}
