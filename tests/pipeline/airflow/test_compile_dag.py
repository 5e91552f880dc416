"""Compiling for a DAG, and in the DAG's first task for a run of it."""

import os
from pathlib import Path

import pytest

from data.cache import IN_PROJECT
from data.errors import WRONG_SETTING
from pipeline.airflow.compile_dag import main
from pipeline.running import compiled
from pipeline.settings import SETTINGS

RUN = "manual__2026-01-02T03:04:05+00:00"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATASET", "digits")
    monkeypatch.setenv("OUTPUT", str(tmp_path))
    monkeypatch.setenv("RECIPES", "float32,int8")


@pytest.fixture
def dag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a compiled DAG."""
    assert main([]) == 0
    assert "1,433 training" in capsys.readouterr().out
    return tmp_path / "airflow"


def test_a_run_compiles_what_the_dag_was_compiled_from(dag: Path) -> None:
    assert main(["--run", RUN]) == 0
    run = dag / "runs" / RUN
    assert compiled.read_graph(run) == compiled.read_graph(dag)
    for file in (compiled.PIPELINE_FILE, compiled.GRAPH_FILE):
        assert (run / file).read_bytes() == (dag / file).read_bytes()


def test_a_run_may_have_other_settings_than_the_dag(
    dag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPOCHS", "3")
    assert main(["--run", RUN]) == 0
    assert '"epochs\\": 3' in (dag / "runs" / RUN / compiled.PIPELINE_FILE).read_text()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RECIPES", "float32", ("gone: Evaluator.int8, Quantizer.int8", "airflow-compile")),
        ("TRIALS", "2", ("new: Tuner",)),
        ("DATASET", "folder", ("mnist-jax-folder-digits instead of mnist-jax-digits",)),
    ],
)
def test_a_run_with_another_graph_is_refused(
    name: str,
    value: str,
    words: tuple[str, ...],
    dag: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if value == "folder":
        value = str(tmp_path / value)
        os.symlink(IN_PROJECT / "digits", value)
    monkeypatch.setenv(name, value)
    assert main(["--run", RUN]) == WRONG_SETTING
    error = capsys.readouterr().err
    assert all(word in error for word in words), error
    assert not (dag / "runs").exists()


def test_a_run_cannot_become_another_half_way(
    dag: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run", RUN]) == 0
    before = (dag / "runs" / RUN / compiled.PIPELINE_FILE).read_bytes()
    assert main(["--run", RUN]) == 0  # another attempt at the task
    monkeypatch.setenv("SEED", "5")
    assert main(["--run", RUN]) == WRONG_SETTING
    assert "start a new run" in capsys.readouterr().err
    assert (dag / "runs" / RUN / compiled.PIPELINE_FILE).read_bytes() == before


def test_a_run_without_a_dag_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run", RUN]) == WRONG_SETTING
    assert f"{tmp_path}/airflow/graph.json: there is no compiled" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value"), [("DATASET", "cifar"), ("EPOCHS", "0")])
def test_wrong_settings_are_named(
    name: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert main([]) == WRONG_SETTING
    error = capsys.readouterr().err
    assert error.startswith("error: ") and value in error
    assert not (tmp_path / "airflow").exists()
