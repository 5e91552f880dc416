"""Packs the device models that may ship: the TFLite files and what an app must know of them."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.files import file_sha256
from modules import features
from modules.export.recipes import RECIPES
from modules.inference import litert

MANIFEST = "model.json"
_COPIED = ("name", "bytes", "metrics", "per_class_accuracy", "agreement", "latency_us")


def pack(
    folder: Path, tflite_paths: Mapping[str, str], entries: Sequence[Mapping[str, Any]]
) -> None:
    """Writes `<variant>.tflite` of every entry, and `model.json`.

    Args:
      folder: is made.
      tflite_paths: the models, by the name of their variant.
      entries: what comparison.json says of those that are packed.
    """
    folder.mkdir(parents=True)
    models = []
    for entry in entries:
        file = folder / f"{entry['name']}.tflite"
        shutil.copyfile(tflite_paths[entry["name"]], file)
        models.append(
            {
                "file": file.name,
                "summary": RECIPES[entry["name"]].summary,
                "sha256": file_sha256(file),
                **_tensors(str(file)),
                **{key: entry[key] for key in _COPIED},
            }
        )
    num_classes = models[0]["output"]["shape"][1] if models else 0
    manifest = {
        "input": {
            "name": features.IMAGE_FLOATS,
            "shape": [None, features.NUM_PIXELS],
            "range": [0.0, 1.0],
            "layout": "row-major 28x28, black is 0",
        },
        "output": {"name": features.LOGITS, "meaning": "logit of each label, before the softmax"},
        "labels": [str(label) for label in range(num_classes)],
        "models": models,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def _tensors(path: str) -> dict[str, Any]:
    """Returns dtype, shape and quantization of input and output.

    Real values are (integer - zero_point) * scale.
    """
    interpreter = litert.make_interpreter(path)
    details = {
        "input": interpreter.get_input_details()[0],
        "output": interpreter.get_output_details()[0],
    }
    described = {}
    for what, entry in details.items():
        scale, zero_point = entry["quantization"]
        described[what] = {
            "dtype": np.dtype(entry["dtype"]).name,
            "shape": [None, *(int(size) for size in entry["shape_signature"][1:])],
            "quantization": {"scale": scale, "zero_point": zero_point} if scale else None,
        }
    return described
