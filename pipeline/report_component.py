"""The Report component: the comparison, with where the models were pushed to, as JSON and page."""

import json
import os
from pathlib import Path

import numpy as np
from tfx.components.pusher import executor as pusher
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import (
    Examples,
    ModelEvaluation,
    ModelRun,
    PushedModel,
)

from modules import examples as example_files
from pipeline import comparison as compare
from pipeline import report_figures, report_page
from pipeline.artifacts import LOGITS_FILE, ComparisonReport, ModelComparison
from pipeline.comparison_component import VARIANT
from pipeline.config import COMPARISON_FILE, REPORT_FILE


@component
def Report(  # noqa: N802 - components are named as classes
    comparison: InputArtifact[ModelComparison],
    examples: InputArtifact[Examples],
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
    """Writes the final `comparison.json` and `index.html`.

    Args:
      comparison: comparison.json, not yet with where the models were pushed to, and the logits.
      examples: the eval split, for the galleries.
      model_run: the training's TensorBoard events; may be empty.
      server_evaluation: of the SavedModel, for its confusion matrix.
      device_evaluation: of the TFLite model, for its confusion matrix.
      server_push: of the SavedModel.
      device_push: of the device models.
      data_source: where the data came from, and why when it is a fallback.
      is_fallback: 1 when the data stands in for the one that was wanted, else 0.
      source_digest: makes TFX's cache notice edits.
      report: `comparison.json` and `index.html`.

    Raises:
      ValueError: an evaluation lacks its confusion matrix.
    """
    content = json.loads((Path(comparison.uri) / COMPARISON_FILE).read_text())
    server, *devices = content["models"]
    server["pushed_to"] = _destination(server_push)
    for device in devices:
        device["pushed_to"] = _destination(device_push) if device["blessed"] else None

    images, labels = example_files.load_raw([os.path.join(examples.path(split="eval"), "*")])
    with np.load(Path(comparison.uri) / LOGITS_FILE) as file:
        logits = dict(file)
    num_classes = logits[compare.REFERENCE].shape[1]
    evaluations = {compare.REFERENCE: server_evaluation, VARIANT: device_evaluation}
    confusion = {
        name: report_figures.confusion_matrix(
            compare.load_evaluation(evaluation.uri).plots, num_classes
        )
        for name, evaluation in evaluations.items()
    }
    evidence = report_page.Evidence(
        data_source=data_source,
        is_fallback=bool(is_fallback),
        images=images,
        labels=labels,
        logits=logits,
        confusion=confusion,
        scalars=report_figures.read_scalars(model_run.uri),
    )
    (Path(report.uri) / COMPARISON_FILE).write_text(json.dumps(content, indent=2) + "\n")
    (Path(report.uri) / REPORT_FILE).write_text(report_page.render(content, evidence), "utf-8")


def _destination(push: PushedModel) -> str | None:
    """Returns the folder that a Pusher filled, None when it did not push."""
    return push.get_string_custom_property(pusher._PUSHED_DESTINATION_KEY) or None
