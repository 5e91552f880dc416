"""The Report component: the verdict, with where the models were pushed to, as JSON and page."""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tfx.components.pusher import executor as pusher
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, ModelRun, PushedModel

from data.splits import Split
from modules.examples import tf_examples as example_files
from pipeline.components.artifacts import (
    CONFUSION_FILE,
    LOGITS_FILE,
    ComparisonReport,
    ModelComparison,
    PersonalEvaluation,
)
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.report import figures, rendering, runtimes
from pipeline.verdict import verdict
from pipeline.verdict.personal import judged


@component
def Report(  # noqa: N802 - components are named as classes
    comparison: InputArtifact[ModelComparison],
    examples: InputArtifact[Examples],
    model_run: InputArtifact[ModelRun],
    server_push: InputArtifact[PushedModel],
    device_push: InputArtifact[PushedModel],
    data_source: Parameter[str],
    is_fallback: Parameter[int],
    graph: Parameter[str],
    metadata_location: Parameter[str],
    pipeline_name: Parameter[str],
    report: OutputArtifact[ComparisonReport],
    personal: InputArtifact[PersonalEvaluation] = None,
    personal_push: InputArtifact[PushedModel] = None,
):
    """Writes the final `comparison.json` and `index.html`.

    Args:
      comparison: comparison.json, before it says where the models were pushed to; the logits and
        the confusion matrices.
      examples: the eval split, for the galleries.
      model_run: the training's TensorBoard events; may be empty.
      server_push: of the SavedModel.
      device_push: of the device models.
      data_source: where the data came from, and why, if it is a fallback.
      is_fallback: 1 when other data was wanted and this stands in for it, else 0.
      graph: JSON, {node id: [ids of the nodes whose outputs it reads]}.
      metadata_location: where ML Metadata is, for the times; "" where there is none.
      pipeline_name: the pipeline whose last run the times come from.
      report: `comparison.json` and `index.html`.
      personal: what people gained of the model that is trained on the device, where there is one.
      personal_push: of that model.
    """
    compared = verdict.read(Path(comparison.uri) / verdict.COMPARISON_FILE)
    server, *devices = compared.models
    models = [dataclasses.replace(server, pushed_to=_destination(server_push))]
    for device in devices:
        destination = _destination(device_push) if device.blessed else None
        models.append(dataclasses.replace(device, pushed_to=destination))
    taught = None
    if personal:
        pushed_to = _destination(personal_push)
        taught = dataclasses.replace(judged.read(Path(personal.uri)), pushed_to=pushed_to)
    final = dataclasses.replace(compared, models=tuple(models), personal=taught)

    eval_files = [os.path.join(examples.path(split=Split.EVAL), "*")]
    logits = _arrays(Path(comparison.uri) / LOGITS_FILE)
    in_runtimes = runtimes.image_rows(final.models)
    labels, images = _read(eval_files, logits, final.reference, in_runtimes)
    evidence = rendering.Evidence(
        data_source=data_source,
        is_fallback=bool(is_fallback),
        images=images,
        labels=labels,
        logits=logits,
        confusion=_arrays(Path(comparison.uri) / CONFUSION_FILE),
        scalars=figures.read_scalars(model_run.uri),
        graph=json.loads(graph),
        times=(
            runs.node_times(open_store(metadata_location), pipeline_name)
            if metadata_location
            else {}
        ),
    )
    verdict.write(final, Path(report.uri) / verdict.COMPARISON_FILE)
    (Path(report.uri) / verdict.REPORT_FILE).write_text(rendering.render(final, evidence), "utf-8")


def _read(
    file_patterns: list[str],
    logits: Mapping[str, np.ndarray],
    reference: str,
    more_rows: Sequence[int],
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Reads the eval split once, and keeps what the page may show of it.

    What is among the first of a gallery is among the first of its own batch there.

    Returns:
      All labels int64[N], and by their rows the images float32[784] that galleries may show, and
      those that are asked for.
    """
    labels, found, start = [], {}, 0
    for images, own in example_files.read_raw(file_patterns):
        stop = start + len(own)
        of_batch = {name: values[start:stop] for name, values in logits.items()}
        for rows in rendering.gallery_rows(of_batch, own, reference):
            first = rows[: rendering.GALLERY_SIZE]
            found |= zip((start + first).tolist(), images[first], strict=True)
        found |= {row: images[row - start].copy() for row in more_rows if start <= row < stop}
        labels.append(own)
        start = stop
    return np.concatenate(labels), found


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an npz file by name."""
    with np.load(path) as file:
        return dict(file)


def _destination(push: PushedModel) -> str | None:
    """Returns the folder that a Pusher filled, None when it did not push."""
    return push.get_string_custom_property(pusher._PUSHED_DESTINATION_KEY) or None
