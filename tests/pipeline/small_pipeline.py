"""A pipeline of three nodes that really runs, for what its ML Metadata then holds."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import String

from pipeline.metadata import runs
from pipeline.metadata.connection import connection_config, open_store

NAME = "small"


@component
def Made(text: Parameter[str], made: OutputArtifact[String]):  # noqa: N802
    """A node with an output."""
    made.value = text


@component
def Looked(text: Parameter[str]):  # noqa: N802
    """A node without an output."""
    assert text


@component
def Reader(  # noqa: N802
    location: Parameter[str], run: Parameter[int], seen: OutputArtifact[String]
):
    """Reads the store while the pipeline runs, as the Report does."""
    times = runs.node_times(open_store(location), NAME)
    seen.value = f"{run}: {sorted(times)}"


def metadata_file(folder: Path) -> Path:
    return folder / "metadata.db"


def run_small_pipeline(folder: Path, number: int, text: str = "a") -> str:
    """Runs Made, Looked and Reader; returns what the Reader saw while it was running.

    The Reader runs anew with each number, Made with each text; all else comes from the cache.
    """
    made, looked = Made(text=text), Looked(text="b")
    reader = Reader(location=str(metadata_file(folder)), run=number)
    reader.add_upstream_nodes([made, looked])
    LocalDagRunner().run(
        Pipeline(
            pipeline_name=NAME,
            pipeline_root=str(folder / "root"),
            components=[made, looked, reader],
            metadata_connection_config=connection_config(str(metadata_file(folder))),
            enable_cache=True,
        )
    )
    store = open_store(str(metadata_file(folder)))
    execution = runs.run_executions(store, NAME)["Reader"]
    return Path(runs.output_artifacts(store, execution)["seen"].uri).read_text()
