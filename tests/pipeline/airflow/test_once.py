"""What `make airflow` shows of Airflow's log."""

from pathlib import Path

import pytest

from data.errors import WRONG_SETTING
from pipeline.airflow import home, once


def logged(text: str) -> list[str]:
    """As Airflow logs what a task's process has printed: twice."""
    return [
        f"[2026-11-21 14:43:11,854] {{subprocess.py:106}} INFO - {text}\n",
        f"[2026-11-21T14:43:11.854+0000] {{subprocess.py:106}} INFO - {text}\n",
    ]


def task(name: str, *printed: str, status: int = 0) -> list[str]:
    start = f"[2026-11-21T14:42:51.804+0000] {{dag.py:4396}} INFO - [DAG TEST] starting task_id={name} map_index=-1\n"  # noqa: E501
    lines = [start, *logged("Running command: ['python']"), *logged("Output:")]
    for text in (*printed, f"Command exited with return code {status}"):
        lines += logged(text)
    return [*lines, "[2026-11-21T14:43:14.920+0000] {taskinstance.py:361} INFO - Marking task as\n"]


def test_tasks_and_what_their_processes_print(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        "DB: sqlite:////airflow.db\n",
        *task("Compile", "the digits", "compiled into x"),
        *task("Trainer", "  epoch 1", status=-9),
        *task("Trainer", "  epoch 1", "", "Trainer: 3.0 s"),
    ]
    assert once.show_progress(lines, 12) == 0
    assert capsys.readouterr().out.splitlines() == [
        "[ 1/12] Compile",
        "the digits",
        "compiled into x",
        "[ 2/12] Trainer",
        "  epoch 1",
        "killed by signal 9",
        "[ 2/12] Trainer",
        "  epoch 1",
        "",
        "Trainer: 3.0 s",
    ]


def test_the_last_status_tells_why_it_failed() -> None:
    lines = [*task("Compile"), *task("Show", "error", status=3), "DagRun failed\n"]
    assert once.show_progress(lines, 2) == 3


def test_without_airflow_it_says_how_to_get_it_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(home, "PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("DATASET", "digits")
    monkeypatch.setenv("OUTPUT", str(tmp_path / "output"))
    assert once.main() == WRONG_SETTING
    assert "make airflow-setup" in capsys.readouterr().err
    assert not (tmp_path / "output" / "airflow").exists()
