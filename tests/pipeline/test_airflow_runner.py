"""The DAG file, in Airflow's own environment."""

import json
from pathlib import Path

from data.files import PROJECT_ROOT
from pipeline.config import PipelineConfig
from pipeline.running import compiled
from tests.support import airflow_environment as airflow
from tests.support.digit_models import DigitModels

PARSE = """
import json, sys
from airflow.models import DagBag
bag = DagBag({file!r}, include_examples=False)
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
EMPTY = {  # graph.json without nodes
    **{"pipeline": "none", "nodes": {}, "one_at_a_time": True},
    **{"settings": {"OUTPUT": ""}, "python": "", "folder": ""},
}
HEAVY = ("tfx", "tensorflow", "jax", "apache_beam", "pipeline")


def parse(folder: Path, **variables: str | Path) -> dict:
    """What Airflow makes of the DAG file."""
    script = PARSE.format(file=str(PROJECT_ROOT / "pipeline" / "airflow_runner.py"), heavy=HEAVY)
    return json.loads(airflow.in_airflow(script, folder, **variables).splitlines()[-1])


def test_the_dag_is_the_compiled_graph_and_its_parse_loads_nothing_heavy(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    pipeline = compiled.compile_pipeline(PipelineConfig(digit_models.files, tmp_path), {})
    pipeline.write(tmp_path)
    found = parse(tmp_path, PIPELINE_GRAPHS=tmp_path / compiled.GRAPH_FILE)
    assert found["errors"] == [] and found["loaded"] == []
    assert found["active"] == [1]  # SQLite
    [(name, dag)] = found["dags"].items()
    assert name == pipeline.graph.pipeline
    assert dag.pop("Compile") == []
    assert dag.pop("Show") == ["Report"]
    assert dag == {node: upstream or ["Compile"] for node, upstream in pipeline.graph.nodes.items()}


def test_a_dag_that_was_not_compiled_is_one_clear_error(tmp_path: Path) -> None:
    missing = tmp_path / "graph.json"
    [error] = parse(tmp_path, PIPELINE_GRAPHS=missing)["errors"]
    last = error.strip().splitlines()[-1]
    assert str(missing) in last and "make airflow-compile" in last
    [error] = parse(tmp_path)["errors"]
    assert "PIPELINE_GRAPHS is not set" in error.strip().splitlines()[-1]


def test_two_pipelines_of_one_name_are_one_clear_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(json.dumps(EMPTY))
    [error] = parse(tmp_path, PIPELINE_GRAPHS=f"{tmp_path / 'a'}:{tmp_path / 'b'}")["errors"]
    assert "b is a second pipeline named none; compile it with another PIPELINE_NAME" in error


FATE = """
import json, sys
from pathlib import Path
Path("fate.py").write_text(
    "import os, sys; print('OUTPUT', os.environ['OUTPUT'], 'SEED', os.environ['SEED']);"
    "status = int(sys.argv[1]); print('error: why', flush=True);"
    "sys.exit(status) if status >= 0 else os.kill(os.getpid(), -status)"
)
from airflow_runner import ProjectTask
found = {}
for status in (0, 1, 2, 3, -9):
    task = ProjectTask(
        task_id="x", python=sys.executable, folder=".", output_folder="fixed",
        settings=["SEED", "EPOCHS"], arguments=["fate", str(status)],
    )
    try:
        task.execute({"params": {"EPOCHS": None, "SEED": 0}})
        found[status] = "done"
    except Exception as error:
        found[status] = f"{type(error).__name__}: {error}"
for name in ("OUTPUT", "PYTHONPATH"):
    try:
        task.execute({"params": {"SEED": "1", name: "mine"}})
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
task.python = "/no/such/.venv/bin/python"
try:
    task.execute({"params": {}})
except Exception as error:
    found["missing"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def test_only_what_may_end_otherwise_is_tried_again(tmp_path: Path) -> None:
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(EMPTY))
    printed = airflow.in_airflow(FATE, tmp_path, PIPELINE_GRAPHS=graph).splitlines()
    found = json.loads(printed[-1])
    assert found.pop("missing").startswith("AirflowFailException: /no/such/.venv/bin/python")
    assert found == {
        **{
            name: f"AirflowFailException: there is no setting {name!r}; expected SEED, EPOCHS"
            for name in ("OUTPUT", "PYTHONPATH")
        },
        "0": "done",
        "1": "AirflowException: ended with status 1: error: why",
        "2": "AirflowFailException: error: why",
        "3": "AirflowFailException: the run is complete, but not every model was blessed",
        "-9": "AirflowException: killed by signal 9",
    }
    assert sum("OUTPUT fixed SEED 0" in line for line in printed) >= 4
