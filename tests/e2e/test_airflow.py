"""The pipeline as an Airflow DAG: real tasks, a real death among them, real servers."""

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import runs
from tests.e2e.support.harness import (
    PIPELINE_NAME,
    Run,
    environment,
    finished_run,
    wait_until_shown,
)
from tests.support import airflow_environment as airflow
from tests.support.machine import free_port, is_alive

SETTINGS = {"DATASET": "digits", "RECIPES": "float32", "EPOCHS": "3", "MIN_ACCURACY": "0.5"}
KILLED = "StatisticsGen"


@dataclasses.dataclass(frozen=True)
class AirflowRun(Run):
    """A finished run of the DAG."""

    left_behind: Path  # what the killed attempt left

    @property
    def graph(self) -> dict[str, list[str]]:
        return json.loads((self.output / "airflow" / "graph.json").read_text())["nodes"]


@pytest.fixture(scope="module")
def run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> AirflowRun:
    """Runs the DAG as `make airflow` does; one of its nodes is killed in its work."""
    airflow.airflow_python()
    (project / airflow.VENV.name).symlink_to(airflow.VENV)
    output = tmp_path_factory.mktemp("airflow")
    left: list[Path] = []

    def kill() -> None:
        folder = airflow.when_there(f"pipeline/{KILLED}/statistics/*", output)
        left.append(folder / "left_behind")
        left[0].write_text("")
        airflow.kill_node(KILLED, output)

    killer = threading.Thread(target=kill)
    killer.start()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.airflow.once"],
        cwd=project,
        env=environment(**SETTINGS, OUTPUT=output),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )
    killer.join()
    finished = finished_run(project, output, done.returncode, done.stdout)
    return AirflowRun(**vars(finished), left_behind=left[0])


def test_every_task_runs_once_and_the_killed_one_twice(run: AirflowRun) -> None:
    assert run.status == 0, run.text
    started = re.findall(r"^\[ *\d+/(\d+)\] (\S+)$", run.text, re.MULTILINE)
    tasks = [name for _, name in started]
    assert set(tasks) == {"Compile", *run.graph, "Show"} and tasks[-1] == "Show"
    assert {count for count, _ in started} == {str(len(set(tasks)))}
    assert [name for name in set(tasks) if tasks.count(name) > 1] == [KILLED]
    assert tasks.count(KILLED) == 2 and "killed by signal 9" in run.text


def test_it_ends_as_a_local_run_does(run: AirflowRun) -> None:
    assert [model["blessed"] for model in run.comparison()["models"]] == [True, True]
    assert len(run.pushed()) == 2
    assert (run.output / "report" / "index.html").is_file()
    assert "digits: trained on 1,433" in run.text
    assert f"Report: {run.output / 'report' / 'index.html'}" in run.text


def test_all_tasks_share_one_run_and_take_each_others_outputs(run: AirflowRun) -> None:
    store = run.store()
    [context] = store.get_contexts_by_type("pipeline_run")
    assert context.name.startswith("manual__")
    executions = runs.run_executions(store, PIPELINE_NAME)
    assert set(executions) == set(run.graph)
    assert len(store.get_executions()) == len(run.graph)
    assert {one.last_known_state for one in executions.values()} <= {
        metadata_store_pb2.Execution.COMPLETE,
        metadata_store_pb2.Execution.CACHED,  # of a Resolver, always
    }
    for node, execution in executions.items():
        events = store.get_events_by_execution_ids([execution.id])
        inputs = {event.artifact_id for event in events if event.type == event.INPUT}
        made = {
            artifact.id
            for other in run.graph[node]
            for artifact in runs.output_artifacts(store, executions[other]).values()
        }
        assert inputs <= made, node


def test_the_killed_attempt_left_nothing(run: AirflowRun) -> None:
    assert run.left_behind.parent.is_dir() and not run.left_behind.exists()


@pytest.mark.parametrize(
    ("key", "nodes"),
    [
        ("evaluation", ("Evaluator", "Evaluator.float32")),
        ("pushed_model", ("Pusher", "Pusher.device")),
    ],
)
def test_outputs_of_one_name_do_not_collide(
    key: str, nodes: tuple[str, str], run: AirflowRun
) -> None:
    store = run.store()
    executions = runs.run_executions(store, PIPELINE_NAME)
    made = [runs.output_artifacts(store, executions[node])[key] for node in nodes]
    assert made[0].id != made[1].id
    assert [Path(artifact.uri).parent.parent.name for artifact in made] == list(nodes)


def test_the_servers_listen_on_loopback_and_leave_no_process(
    run: AirflowRun, tmp_path: Path
) -> None:
    port = str(free_port())
    log = tmp_path / "up.txt"
    with open(log, "w") as stream:
        up = subprocess.Popen(
            [sys.executable, "-u", "-m", "pipeline.airflow.up"],
            cwd=run.project,
            env=environment(**SETTINGS, OUTPUT=run.output, AIRFLOW_PORT=port),
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_until_shown(f"Airflow: http://127.0.0.1:{port}", up, log)
        tree = psutil.Process(up.pid).children(recursive=True)
        names = ""
        for one in tree:
            with contextlib.suppress(psutil.NoSuchProcess):  # some read the DAG and are done
                names += " ".join(one.cmdline())
        assert "scheduler" in names and "gunicorn" in names
        assert set(airflow.listening(psutil.Process(up.pid))) == {"127.0.0.1"}
        password = run.output / "airflow" / "home" / "standalone_admin_password.txt"
        assert password.stat().st_mode & 0o077 == 0 and len(password.read_text()) == 16
        assert password.read_text() not in log.read_text()
    finally:
        os.kill(up.pid, signal.SIGINT)
        assert up.wait(120) == 0, log.read_text()
    assert [one for one in tree if is_alive(one)] == []
