"""Trained parameters as a TFLite model, by a recipe."""

import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from modules.export import flatbuffer, saved_model, tflite_checks, tflite_rewriter
from modules.export.forms import rules
from modules.export.recipes import Recipe
from modules.export.trained import Trained
from modules.inference import litert

_SIZES = 1, 2


def save_tflite(
    trained: Trained,
    recipe: Recipe,
    directory: str,
    representative_images: np.ndarray | None = None,
) -> str:
    """Interim."""
    inference, leaves = trained.inference()
    inference = rules.for_tflite(inference)
    paths = []
    with tempfile.TemporaryDirectory() as scratch:
        for size in _SIZES:
            module, predict_images = saved_model.make_module(trained, inference, leaves, size)
            source = str(Path(scratch, f"saved{size}"))
            tf.saved_model.save(module, source, signatures={litert.SIGNATURE: predict_images})
            target = directory if size == 1 else str(Path(scratch, "other"))
            paths.append(
                tflite_rewriter.rewrite(source, target, recipe, representative_images, size)
            )
        flatbuffer.finish(*paths, _SIZES)
    expected = recipe.expected_bytes(np.size(leaf) for leaf in leaves)
    tflite_checks.check_tflite(paths[0], recipe, expected)
    return paths[0]
