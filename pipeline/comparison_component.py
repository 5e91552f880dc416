"""The Comparison component: evaluations and model in; verdict, blessing and device package out."""

import json
import os
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from tfx.components.evaluator import constants
from tfx.components.util.model_utils import is_model_blessed
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation
from tfx.utils import path_utils

from modules import examples as example_files
from modules import export, features, litert, timing
from pipeline import comparison as compare
from pipeline import evaluation
from pipeline.artifacts import LOGITS_FILE, ModelComparison
from pipeline.config import COMPARISON_FILE, Limits

VARIANT = "float32"
DEVICE_MANIFEST = "model.json"
_PACKAGES = ("tfx", "tensorflow", "jax", "flax")


@component
def Comparison(  # noqa: N802 - components are named as classes
    examples: InputArtifact[Examples],
    model: InputArtifact[Model],
    server_evaluation: InputArtifact[ModelEvaluation],
    server_blessing: InputArtifact[ModelBlessing],
    device_evaluation: InputArtifact[ModelEvaluation],
    device_blessing: InputArtifact[ModelBlessing],
    limits: Parameter[dict[str, float]],
    run: Parameter[str],
    source_digest: Parameter[str],
    comparison: OutputArtifact[ModelComparison],
    blessing: OutputArtifact[ModelBlessing],
    device_model: OutputArtifact[Model],
):
    """Writes comparison.json, blesses the device model or not, and packs it for its Pusher.

    Args:
      examples: the eval split of which both formats are run once more, for their agreement.
      model: the Trainer's, with both formats.
      server_evaluation: of the SavedModel.
      server_blessing: of the SavedModel.
      device_evaluation: of the TFLite model.
      device_blessing: of the TFLite model.
      limits: fields of `pipeline.config.Limits`.
      run: JSON with "dataset", "seed" and "epochs", copied into comparison.json.
      source_digest: makes TFX's cache notice edits.
      comparison: `comparison.json` and the logits behind it.
      blessing: whether the device model may ship.
      device_model: the .tflite file and `model.json`.
    """
    bounds = Limits(**limits)
    model_dir = path_utils.serving_model_path(model.uri)
    tflite_path = os.path.join(model_dir, features.TFLITE_FILE)
    images, _ = example_files.load_raw([os.path.join(examples.path(split="eval"), "*")])
    server_logits = export.predict_saved_model(model_dir, images)
    device_logits = litert.predict(tflite_path, images)
    server_metrics = compare.read_metrics(server_evaluation.uri)
    device_metrics = compare.read_metrics(device_evaluation.uri)

    serve, run_on_device = export.load_saved_model(model_dir), litert.load(tflite_path)
    server = compare.model_entry(
        compare.REFERENCE,
        evaluation.TF_SAVED_MODEL,
        _saved_model_bytes(Path(model_dir)),
        server_metrics,
        server_logits,
        server_logits,
        timing.latency_us(lambda: serve(images[:1])),
        compare.server_checks(
            server_metrics,
            is_model_blessed(server_blessing),
            bounds,
            compare.read_baseline_accuracy(server_evaluation.uri),
        ),
    )
    device = compare.model_entry(
        VARIANT,
        evaluation.TF_LITE,
        os.path.getsize(tflite_path),
        device_metrics,
        device_logits,
        server_logits,
        timing.latency_us(lambda: run_on_device(images[:1])),
        compare.device_checks(
            device_metrics,
            server_metrics,
            compare.agreement(server_logits, device_logits),
            is_model_blessed(device_blessing),
            bounds,
            compare.read_baseline_accuracy(device_evaluation.uri),
        ),
    )
    result = {
        "schema_version": compare.SCHEMA_VERSION,
        "reference": compare.REFERENCE,
        "models": [server, device],
        **json.loads(run),
        "versions": {package: metadata.version(package) for package in _PACKAGES},
    }
    _write_json(Path(comparison.uri) / COMPARISON_FILE, result)
    logits = {compare.REFERENCE: server_logits, VARIANT: device_logits}
    np.savez(Path(comparison.uri) / LOGITS_FILE, **logits)
    _bless(blessing, device["blessed"])
    _pack(Path(device_model.uri), tflite_path, device, device_logits.shape[1])


def _pack(artifact_dir: Path, tflite_path: str, entry: dict[str, Any], num_classes: int) -> None:
    """Writes what the device Pusher ships: the TFLite file and what an app must know of it."""
    folder = Path(path_utils.serving_model_path(str(artifact_dir)))
    folder.mkdir(parents=True)
    file_name = f"{entry['name']}.tflite"
    shutil.copyfile(tflite_path, folder / file_name)
    manifest = {
        "input": {
            "name": features.IMAGE_FLOATS,
            "dtype": "float32",
            "shape": [None, features.NUM_PIXELS],
            "range": [0.0, 1.0],
            "layout": "row-major 28x28",
        },
        "output": {
            "name": features.LOGITS,
            "dtype": "float32",
            "shape": [None, num_classes],
            "meaning": "log-probability of each label",
        },
        "labels": [str(label) for label in range(num_classes)],
        "models": [
            {
                "file": file_name,
                **{
                    key: entry[key]
                    for key in ("name", "bytes", "metrics", "per_class_accuracy", "agreement")
                },
            }
        ],
    }
    _write_json(folder / DEVICE_MANIFEST, manifest)


def _bless(blessing: ModelBlessing, blessed: bool) -> None:
    """Marks the artifact as TFX's Evaluator does, so that TFX's Pusher understands it."""
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    (Path(blessing.uri) / name).touch()


def _saved_model_bytes(folder: Path) -> int:
    """Returns the size of the SavedModel without the device model that lies beside it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path != folder / features.TFLITE_FILE)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
