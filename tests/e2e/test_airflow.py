"""The pipeline as an Airflow DAG: real tasks, a real death among them, real servers.

What Airflow does is looked at in a DAG of two nodes. The nodes of the whole pipeline run as its
tasks do, but one after the other in this process.
"""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.airflow import compile_dag, show
from pipeline.metadata import runs
from pipeline.running import run_node
from tests.e2e.support import two_nodes
from tests.e2e.support.harness import (
    PIPELINE_NAME,
    Run,
    copy_project,
    environment,
    finished_run,
    wait_until_shown,
)
from tests.e2e.support.in_process import called
from tests.support import airflow_environment as airflow
from tests.support.machine import free_port, is_alive

SETTINGS = {"DATASET": "digits", "RECIPES": "float32", "EPOCHS": "3", "MIN_ACCURACY": "0.5"}
KILLED = "Mortal"


@dataclasses.dataclass(frozen=True)
class AirflowRun(Run):
    """A finished run of a DAG, or of what its tasks run."""

    @property
    def graph(self) -> dict[str, list[str]]:
        return json.loads((self.output / "airflow" / "graph.json").read_text())["nodes"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> AirflowRun:
    """Runs all that the tasks of the whole pipeline run."""
    airflow.airflow_python()
    output, name = tmp_path_factory.mktemp("whole"), "manual__2026-01-02T03:04:05+00:00"
    variables = environment(**SETTINGS, OUTPUT=output)
    assert called(lambda: compile_dag.main([]), variables).returncode == 0
    folder = output / "airflow" / "runs" / name
    tasks = [lambda: compile_dag.main(["--run", name])]
    for node in json.loads((output / "airflow" / "graph.json").read_text())["nodes"]:
        tasks.append(lambda node=node: run_node.main([str(folder), node, name]))
    text = ""
    for task in (*tasks, lambda: show.main([name])):
        done = called(task, variables)
        text += done.stdout
        assert done.returncode == 0, text
    return AirflowRun(**vars(finished_run(Path(), output, 0, text)))


@pytest.fixture(scope="module")
def dag(whole: AirflowRun, tmp_path_factory: pytest.TempPathFactory) -> AirflowRun:
    """Runs the DAG of two nodes as `make airflow` does."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    (project / airflow.VENV.name).symlink_to(airflow.VENV)
    shutil.copy(two_nodes.__file__, project / "pipeline" / "create.py")
    output = tmp_path_factory.mktemp("airflow")
    shutil.copytree(whole.output / "report", output / two_nodes.MADE)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.airflow.once"],
        cwd=project,
        env=environment(**SETTINGS, OUTPUT=output),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
    )
    return AirflowRun(**vars(finished_run(project, output, done.returncode, done.stdout)))


@pytest.fixture(params=["whole", "dag"])
def run(request: pytest.FixtureRequest) -> AirflowRun:
    """Each of the two."""
    return request.getfixturevalue(request.param)


def test_every_task_runs_once_and_the_killed_one_twice(dag: AirflowRun) -> None:
    assert dag.status == 0, dag.text
    started = re.findall(r"^\[ *\d+/(\d+)\] (\S+)$", dag.text, re.MULTILINE)
    tasks = [name for _, name in started]
    assert set(tasks) == {"Compile", *dag.graph, "Show"} and tasks[-1] == "Show"
    assert {count for count, _ in started} == {str(len(set(tasks)))}
    assert [name for name in set(tasks) if tasks.count(name) > 1] == [KILLED]
    assert tasks.count(KILLED) == 2 and "killed by signal 9" in dag.text


def test_it_ends_as_a_local_run_does(run: AirflowRun) -> None:
    assert [model["blessed"] for model in run.comparison()["models"]] == [True, True]
    assert (run.output / "report" / "index.html").is_file()
    assert "digits: trained on 1,433" in run.text
    assert f"Report: {run.output / 'report' / 'index.html'}" in run.text


def test_the_nodes_of_the_whole_pipeline_push_both_models(whole: AirflowRun) -> None:
    assert len(whole.graph) == 15
    assert len(whole.pushed()) == 2


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


def test_the_killed_attempt_left_nothing(dag: AirflowRun) -> None:
    assert (dag.output / two_nodes.DIED).exists()
    [made] = dag.output.glob(f"pipeline/{KILLED}/model/*")
    assert [path.name for path in made.iterdir()] == ["whole"]


@pytest.mark.parametrize(
    ("key", "nodes"),
    [
        ("evaluation", ("Evaluator", "Evaluator.float32")),
        ("pushed_model", ("Pusher", "Pusher.device")),
    ],
)
def test_outputs_of_one_name_do_not_collide(
    key: str, nodes: tuple[str, str], whole: AirflowRun
) -> None:
    store = whole.store()
    executions = runs.run_executions(store, PIPELINE_NAME)
    made = [runs.output_artifacts(store, executions[node])[key] for node in nodes]
    assert made[0].id != made[1].id
    assert [Path(artifact.uri).parent.parent.name for artifact in made] == list(nodes)


def test_the_servers_listen_on_loopback_and_leave_no_process(
    dag: AirflowRun, tmp_path: Path
) -> None:
    port = str(free_port())
    log = tmp_path / "up.txt"
    with open(log, "w") as stream:
        up = subprocess.Popen(
            [sys.executable, "-u", "-m", "pipeline.airflow.up"],
            cwd=dag.project,
            env=environment(**SETTINGS, OUTPUT=dag.output, AIRFLOW_PORT=port),
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
        password = dag.output / "airflow" / "home" / "standalone_admin_password.txt"
        assert password.stat().st_mode & 0o077 == 0 and len(password.read_text()) == 16
        assert password.read_text() not in log.read_text()
    finally:
        os.kill(up.pid, signal.SIGINT)
        assert up.wait(120) == 0, log.read_text()
    assert [one for one in tree if is_alive(one)] == []
