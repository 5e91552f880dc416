"""The DAG file for Airflow: put it, or a link to it, into Airflow's folder of DAGs.

PIPELINE_GRAPHS names the graph.json files that `make airflow-compile` wrote, separated by `:`; each
becomes a DAG. A task is a process of the project's own environment. So this file imports neither
TFX nor anything else of the project, and Airflow's environment need not contain them.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow import DAG
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.hooks.subprocess import SubprocessHook
from airflow.models import BaseOperator
from airflow.models.param import Param
from airflow.utils.context import Context

GRAPHS = "PIPELINE_GRAPHS"
COMPILE, SHOW = "Compile", "Show"
# Of the project's commands: another attempt would end in the same way.
WRONG_SETTING, NOT_BLESSED = 2, 3


class ProjectTask(BaseOperator):
    """Runs one of the project's modules; all that it prints is the task's log."""

    template_fields = ("arguments",)

    def __init__(
        self,
        python: str,
        folder: str,
        output_folder: str,
        settings: list[str],
        arguments: list[str],
        **kwargs: Any,
    ):
        """Takes what to run, and where.

        Args:
          python: the interpreter.
          folder: to run in.
          output_folder: the pipeline's OUTPUT, which no run can change, since the graph lies there.
          settings: names of the parameters of a run.
          arguments: what comes after `python -m`.
          **kwargs: of every Airflow operator.
        """
        super().__init__(**kwargs)
        self.python, self.folder = python, folder
        self.output_folder, self.settings, self.arguments = output_folder, settings, arguments
        self.hook = SubprocessHook()

    def execute(self, context: Context) -> None:
        """Runs the module, with the run's parameters in its environment.

        Raises:
          AirflowFailException: it failed for good: a setting is wrong, or a model not blessed.
          AirflowException: it failed, and another attempt may succeed.
        """
        if not os.access(self.python, os.X_OK):
            raise AirflowFailException(
                f"{self.python}: the project's environment is not there; run `make setup` in "
                f"{self.folder}"
            )
        given = context["params"]
        if unknown := sorted(given.keys() - set(self.settings)):
            # Who may start a run shall not set any other variable of its processes.
            raise AirflowFailException(
                f"there is no setting {unknown[0]!r}; expected {', '.join(self.settings)}"
            )
        settings = {name: "" if given[name] is None else str(given[name]) for name in given}
        try:
            result = self.hook.run_command(
                [self.python, "-m", *self.arguments],
                env={**os.environ, **settings, "OUTPUT": self.output_folder},
                cwd=self.folder,
            )
        except KeyboardInterrupt:  # of `airflow dags test`; the process is in another session
            self.on_kill()
            raise
        if result.exit_code < 0:
            raise AirflowException(f"killed by signal {-result.exit_code}")
        if result.exit_code == WRONG_SETTING:
            raise AirflowFailException(result.output)
        if result.exit_code == NOT_BLESSED:
            raise AirflowFailException("the run is complete, but not every model was blessed")
        if result.exit_code:
            raise AirflowException(f"ended with status {result.exit_code}: {result.output}")

    def on_kill(self) -> None:
        """Ends the process and its children."""
        self.hook.send_sigterm()


def make_dag(graph_file: Path) -> DAG:
    """Returns the DAG of a compiled pipeline.

    Raises:
      RuntimeError: there is none.
    """
    try:
        graph = json.loads(graph_file.read_text())
    except (OSError, ValueError) as error:
        raise RuntimeError(
            f"{GRAPHS}: {graph_file} is not a compiled pipeline ({error}); "
            "run `make airflow-compile`"
        ) from None
    output = graph["settings"].pop("OUTPUT")
    dag = DAG(
        graph["pipeline"],
        description="Trains once, ships to servers and devices",
        schedule=None,
        start_date=datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=1,
        max_active_tasks=1 if graph["one_at_a_time"] else 16,
        default_args={
            "retries": 2,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": True,
        },
        params={
            name: Param(value, type=["null", "string", "number"])
            for name, value in graph["settings"].items()
        },
    )

    def task(name: str, *arguments: str) -> ProjectTask:
        return ProjectTask(
            task_id=name,
            dag=dag,
            python=graph["python"],
            folder=graph["folder"],
            output_folder=output,
            settings=list(graph["settings"]),
            arguments=list(arguments),
        )

    run = "{{ run_id }}"
    run_folder = f"{graph_file.parent}/runs/{run}"
    compile_run = task(COMPILE, "pipeline.airflow.compile_dag", "--run", run)
    nodes = {
        name: task(name, "pipeline.running.run_node", run_folder, name, run)
        for name in graph["nodes"]
    }
    for name, upstream in graph["nodes"].items():
        nodes[name].set_upstream([nodes[other] for other in upstream] or compile_run)
    leaves = [node for node in nodes.values() if not node.downstream_list]
    task(SHOW, "pipeline.airflow.show", run).set_upstream(leaves)
    return dag


if GRAPHS not in os.environ:
    raise RuntimeError(f"{GRAPHS} is not set; give the graph.json of `make airflow-compile`")
for path in os.environ[GRAPHS].split(os.pathsep):
    found = make_dag(Path(path))
    if found.dag_id in globals():
        raise RuntimeError(
            f"{GRAPHS}: {path} is a second pipeline named {found.dag_id}; compile it with another "
            "PIPELINE_NAME"
        )
    globals()[found.dag_id] = found
