"""The Report component: the comparison, with where the models were pushed to, as JSON and page."""

import json
from pathlib import Path

from tfx.components.pusher import executor as pusher
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import (
    Examples,
    Model,
    ModelEvaluation,
    ModelRun,
    PushedModel,
)

from pipeline.artifacts import COMPARISON_FILE, REPORT_FILE, ComparisonReport, ModelComparison


@component
def Report(  # noqa: N802 - components are named as classes
    comparison: InputArtifact[ModelComparison],
    examples: InputArtifact[Examples],
    model: InputArtifact[Model],
    model_run: InputArtifact[ModelRun],
    server_evaluation: InputArtifact[ModelEvaluation],
    device_evaluation: InputArtifact[ModelEvaluation],
    server_push: InputArtifact[PushedModel],
    device_push: InputArtifact[PushedModel],
    data_source: Parameter[str],
    is_fallback: Parameter[int],
    source_digest: Parameter[str],
    report: OutputArtifact[ComparisonReport],
):
    """Writes the final `comparison.json` and `index.html`."""
    content = json.loads((Path(comparison.uri) / COMPARISON_FILE).read_text())
    server, *devices = content["models"]
    server["pushed_to"] = _destination(server_push)
    for device in devices:
        device["pushed_to"] = _destination(device_push) if device["blessed"] else None
    (Path(report.uri) / COMPARISON_FILE).write_text(json.dumps(content, indent=2) + "\n")
    (Path(report.uri) / REPORT_FILE).write_text("<html></html>")


def _destination(push: PushedModel) -> str | None:
    """Returns the folder that a Pusher filled, None when it did not push."""
    return push.get_string_custom_property(pusher._PUSHED_DESTINATION_KEY) or None
