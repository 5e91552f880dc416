"""The pipeline as an Airflow DAG: real tasks, a real death among them, real servers."""

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import ml_metadata as mlmd
import psutil
import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline import runs
from tests.e2e import airflow
from tests.e2e.harness import PROJECT, Run, environment, finished_run

SETTINGS = {"DATASET": "digits", "RECIPES": "float32,int8", "EPOCHS": "3", "MIN_ACCURACY": "0.5"}
KILLED = "StatisticsGen"


@dataclasses.dataclass(frozen=True)
class AirflowRun(Run):
    """A finished run of the DAG."""

    left_behind: Path  # what the killed attempt left

    @property
    def store(self) -> mlmd.MetadataStore:
        return runs.open_store(self.output / "metadata.db")

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
        [sys.executable, "-m", "pipeline.airflow_once"],
        cwd=project,
        env=environment(**SETTINGS, OUTPUT=output),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
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
    assert [model["blessed"] for model in run.comparison()["models"]] == [True, True, True]
    assert len(run.pushed()) == 2
    assert (run.output / "report" / "index.html").is_file()
    assert "digits: trained on 1,433" in run.text
    assert f"Report: {run.output / 'report' / 'index.html'}" in run.text


def test_all_tasks_share_one_run_and_take_each_others_outputs(run: AirflowRun) -> None:
    [context] = run.store.get_contexts_by_type("pipeline_run")
    assert context.name.startswith("manual__")
    executions = runs.last_run_executions(run.store)
    assert set(executions) == set(run.graph)
    assert len(run.store.get_executions()) == len(run.graph)
    assert {one.last_known_state for one in executions.values()} <= {
        metadata_store_pb2.Execution.COMPLETE,
        metadata_store_pb2.Execution.CACHED,  # of a Resolver, always
    }
    for node, execution in executions.items():
        events = run.store.get_events_by_execution_ids([execution.id])
        inputs = {event.artifact_id for event in events if event.type == event.INPUT}
        made = {
            artifact.id
            for other in run.graph[node]
            for artifact in runs.output_artifacts(run.store, executions[other]).values()
        }
        assert inputs <= made, node


def test_the_killed_attempt_left_nothing(run: AirflowRun) -> None:
    assert run.left_behind.parent.is_dir() and not run.left_behind.exists()


def test_models_of_several_nodes_do_not_collide(run: AirflowRun) -> None:
    executions = runs.last_run_executions(run.store)
    uris = [
        runs.output_artifacts(run.store, executions[node])[key].uri
        for node, key in (("Trainer", "model"), ("Quantizer.int8", "quantized_model"))
    ]
    assert len(set(uris)) == 2 and all(Path(uri).is_dir() for uri in uris)


PARSE = """
import json, sys
from airflow.models import DagBag
bag = DagBag(sys.argv[1] if len(sys.argv) > 1 else {file!r}, include_examples=False)
print(json.dumps({{
    "errors": list(bag.import_errors.values()),
    "dags": {{
        dag.dag_id: {{task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}}
        for dag in bag.dags.values()
    }},
    "active": [dag.max_active_tasks for dag in bag.dags.values()],
    "loaded": [name for name in sys.modules if name.partition(".")[0] in {heavy!r}],
}}))
"""
HEAVY = ("tfx", "tensorflow", "jax", "apache_beam", "pipeline")


def parse(folder: Path, **variables: str | Path) -> dict:
    """What Airflow makes of the DAG file."""
    script = PARSE.format(file=str(PROJECT / "pipeline" / "airflow_runner.py"), heavy=HEAVY)
    return json.loads(airflow.in_airflow(script, folder, **variables).splitlines()[-1])


def test_the_dag_is_the_compiled_graph_and_its_parse_loads_nothing_heavy(
    run: AirflowRun, tmp_path: Path
) -> None:
    found = parse(tmp_path, PIPELINE_GRAPHS=run.output / "airflow" / "graph.json")
    assert found["errors"] == [] and found["loaded"] == []
    assert found["active"] == [1]  # SQLite
    dag = found["dags"]["mnist-jax-digits"]
    assert dag.pop("Compile") == []
    assert dag.pop("Show") == ["Report"]
    assert dag == {node: upstream or ["Compile"] for node, upstream in run.graph.items()}


def test_a_dag_that_was_not_compiled_is_one_clear_error(tmp_path: Path) -> None:
    missing = tmp_path / "graph.json"
    [error] = parse(tmp_path, PIPELINE_GRAPHS=missing)["errors"]
    last = error.strip().splitlines()[-1]
    assert str(missing) in last and "make airflow-compile" in last
    [error] = parse(tmp_path)["errors"]
    assert "PIPELINE_GRAPHS is not set" in error.strip().splitlines()[-1]


FATE = """
import json, sys
from pathlib import Path
Path("fate.py").write_text(
    "import os, sys; print('OUTPUT', os.environ['OUTPUT'], 'SEED', os.environ['SEED']);"
    "print('error: why'); sys.exit(int(sys.argv[1]))"
)
from airflow_runner import ProjectTask
found = {}
for status in (0, 1, 2, 3):
    task = ProjectTask(
        task_id="x", python=sys.executable, folder=".", settings={"OUTPUT": "fixed"},
        arguments=["fate", str(status)],
    )
    try:
        task.execute({"params": {"OUTPUT": "mine", "SEED": 0}})
        found[status] = "done"
    except Exception as error:
        found[status] = f"{type(error).__name__}: {error}"
task.python = "/no/such/.venv/bin/python"
try:
    task.execute({"params": {}})
except Exception as error:
    found["missing"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def test_only_what_may_end_otherwise_is_tried_again(tmp_path: Path) -> None:
    graph = tmp_path / "graph.json"
    graph.write_text(
        json.dumps(
            {
                **{"pipeline": "none", "nodes": {}, "one_at_a_time": True},
                **{"settings": {"OUTPUT": ""}, "python": "", "folder": ""},
            }
        )
    )
    printed = airflow.in_airflow(FATE, tmp_path, PIPELINE_GRAPHS=graph).splitlines()
    found = json.loads(printed[-1])
    assert found.pop("missing").startswith("AirflowFailException: /no/such/.venv/bin/python")
    assert found == {
        "0": "done",
        "1": "AirflowException: ended with status 1: error: why",
        "2": "AirflowFailException: error: why",
        "3": "AirflowFailException: error: why",
    }
    assert sum("OUTPUT fixed SEED 0" in line for line in printed) >= 4


def test_the_servers_listen_on_loopback_and_leave_no_process(
    run: AirflowRun, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    log = tmp_path / "up.txt"
    with open(log, "w") as stream:
        up = subprocess.Popen(
            [sys.executable, "-u", "-m", "pipeline.airflow_up"],
            cwd=run.project,
            env=environment(**SETTINGS, OUTPUT=run.output, AIRFLOW_PORT=port),
            stdout=stream,
            stderr=stream,
        )
    try:
        deadline = time.monotonic() + airflow.PATIENCE_S
        while f"Airflow: http://127.0.0.1:{port}" not in log.read_text():
            assert up.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        tree = psutil.Process(up.pid).children(recursive=True)
        names = " ".join(" ".join(one.cmdline()) for one in tree)
        assert "scheduler" in names and "gunicorn" in names
        assert set(airflow.listening(psutil.Process(up.pid))) == {"127.0.0.1"}
        password = run.output / "airflow" / "home" / "standalone_admin_password.txt"
        assert password.stat().st_mode & 0o077 == 0 and len(password.read_text()) == 16
        assert password.read_text() not in log.read_text()
    finally:
        os.kill(up.pid, signal.SIGINT)
        assert up.wait(120) == 0, log.read_text()
    assert [one for one in tree if one.is_running()] == []
