"""Trained parameters as a TFLite model, by a recipe."""

import tempfile

import jax
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules.export import saved_model, tflite_rewriter
from modules.export.recipes import Recipe
from modules.inference import litert
from modules.models import cnn


def save_tflite(
    params: cnn.Params,
    tft_output: tft.TFTransformOutput,
    recipe: Recipe,
    directory: str,
    representative_images: np.ndarray | None = None,
) -> str:
    """Writes a TFLite model, named `tflite`, that contains the Transform graph.

    Args:
      params: of the network.
      tft_output: the graph that comes before the network.
      recipe: how to convert.
      directory: to write to.
      representative_images: raw training images float32[N, 784] in [0, 1], which set the ranges
        of integer activations; other recipes need none.

    Returns:
      The path of the file.

    Raises:
      flatbuffer.ConversionError: the model could not be converted, or failed a check.
    """
    # From a batch of any size TFLite's converter makes some 70 operators, from a fixed one 11; the
    # rewriter frees the batch afterwards.
    module, predict_images = saved_model.make_module(params, tft_output, batch_size=1)
    expected_bytes = recipe.expected_bytes(np.size(leaf) for leaf in jax.tree.leaves(params))
    with tempfile.TemporaryDirectory() as scratch:
        tf.saved_model.save(module, scratch, signatures={litert.SIGNATURE: predict_images})
        return tflite_rewriter.rewrite(
            scratch, directory, recipe, representative_images, expected_bytes
        )
