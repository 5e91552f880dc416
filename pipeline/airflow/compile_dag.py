"""Compiles the pipeline for Airflow: once for the DAG, and for each run in the DAG's first task.

What is compiled holds the settings, facts of the data set and digests of the code, from which TFX's
cache knows what to compute. So every run compiles anew what it runs.
"""

import argparse
import os
import sys
from pathlib import Path

from data.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.metadata.run_lock import keep_to_one_store
from pipeline.running import compiled, console, preflight
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.preflight import LOG_FILE
from pipeline.settings import config_from_environment


def dag_folder(config: PipelineConfig) -> Path:
    """Returns the folder with what the DAG is made from, and what else Airflow needs."""
    return config.output / "airflow"


def run_folder(dag: Path, run: str) -> Path:
    """Returns the folder with what a run of the DAG runs."""
    return dag / "runs" / run


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Compiles as the environment says; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.airflow.compile_dag", description=__doc__
    )
    parser.add_argument("--run", help="compile for this run of the DAG, not for the DAG itself")
    run = parser.parse_args(arguments).run
    folder = compile_for_airflow(config_from_environment(os.environ), run)
    print(f"compiled into {folder}")
    return 0


def compile_for_airflow(config: PipelineConfig, run: str | None = None) -> Path:
    """Compiles for the DAG, or for one run of it; returns the folder.

    Raises:
      ConfigError: there is no DAG for the run, it has other nodes, or the run began as another
        pipeline.
    """
    print(config.dataset.summary)
    preflight.check(config)
    keep_to_one_store(config)
    folder = run_folder(dag_folder(config), run) if run else dag_folder(config)
    dag = compiled.read_graph(dag_folder(config)) if run else None
    with console.library_output_to(config.output / LOG_FILE):
        from pipeline.metadata.connection import open_store  # here, with its output redirected

        # Nodes that run at once shall not all make its tables.
        open_store(config.metadata_location, read_only=False)
        pipeline = compiled.compile_pipeline(config, os.environ)
    if dag:
        _check_run(pipeline, dag, folder)
    pipeline.write(folder)
    return folder


def _check_run(pipeline: compiled.Compiled, dag: compiled.Graph, folder: Path) -> None:
    """Raises ConfigError when the DAG has other nodes, or the run began as another pipeline."""
    graph = pipeline.graph
    if (graph.pipeline, graph.nodes) != (dag.pipeline, dag.nodes):
        raise ConfigError(
            "with these settings and this code the graph is not the DAG's "
            f"({_difference(graph, dag)}); make the DAG anew: make airflow-compile"
        )
    earlier = folder / compiled.PIPELINE_FILE
    if earlier.exists() and earlier.read_text() != pipeline.definition:
        raise ConfigError(
            "this run began with other settings, data or code; start a new run: what has not "
            "changed comes from the cache"
        )


def _difference(graph: compiled.Graph, dag: compiled.Graph) -> str:
    """Returns where the two differ, in a few words."""
    if graph.pipeline != dag.pipeline:
        return f"{graph.pipeline} instead of {dag.pipeline}"
    new, gone = graph.nodes.keys() - dag.nodes.keys(), dag.nodes.keys() - graph.nodes.keys()
    changes = [f"new: {', '.join(sorted(new))}"] if new else []
    changes += [f"gone: {', '.join(sorted(gone))}"] if gone else []
    return "; ".join(changes) or "the same nodes, connected otherwise"


if __name__ == "__main__":
    sys.exit(main())
