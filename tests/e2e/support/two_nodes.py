"""A pipeline of two nodes, for a copy of the project that has it in place of pipeline/create.py.

An orchestrator has nothing less to do with it. The first node dies once in its work; the second
hands on a report that another run made.
"""

import os
import shutil
import signal
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model

from pipeline.components.artifacts import ComparisonReport
from pipeline.config import PipelineConfig
from pipeline.metadata.connection import connection_config

# In OUTPUT: the mark of an attempt before, and what the report is a copy of.
DIED, MADE = "died", "made"
LEFT_BEHIND = "left_behind"


@component
def Mortal(output: Parameter[str], model: OutputArtifact[Model]):  # noqa: N802
    """Kills its process in the first attempt, with half of its output written."""
    died = Path(output, DIED)
    if not died.exists():
        died.write_text("")
        Path(model.uri, LEFT_BEHIND).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    Path(model.uri, "whole").write_text("")


@component
def Report(  # noqa: N802
    output: Parameter[str],
    model: InputArtifact[Model],
    report: OutputArtifact[ComparisonReport],
):
    """Hands on the report, if it was given the whole output."""
    assert [path.name for path in Path(model.uri).iterdir()] == ["whole"]
    shutil.copytree(Path(output, MADE), report.uri, dirs_exist_ok=True)


def create_pipeline(config: PipelineConfig) -> Pipeline:
    """Returns the pipeline."""
    mortal = Mortal(output=str(config.output))
    report = Report(output=str(config.output), model=mortal.outputs["model"])
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=[mortal, report],
        metadata_connection_config=connection_config(config.metadata_location),
        enable_cache=True,
    )
