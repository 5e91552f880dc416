"""TFX's TFLite rewriter with recipes, and with the checks that it leaves out."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError
from tfx.components.trainer.rewriting import rewriter, rewriter_factory
from tfx.components.trainer.rewriting import tflite_rewriter as tfx_tflite_rewriter

from modules import features
from modules.export import calibration
from modules.export.recipes import Recipe


class ConverterFailedError(RuntimeError):
    """TFLite's converter failed, with its own words; `refusals` makes a sentence of them."""


# BaseRewriter is named as well, since TFX's factory only finds its direct subclasses.
class RecipeTFLiteRewriter(tfx_tflite_rewriter.TFLiteRewriter, rewriter.BaseRewriter):
    """Converts a SavedModel that takes a batch of one size."""

    def __init__(self, recipe: Recipe, representative_images: np.ndarray | None, batch_size: int):
        """Takes what `rewrite` does."""

        def representative_dataset() -> Iterator[list[np.ndarray]]:
            for image in representative_images:
                yield [np.repeat(image[np.newaxis], batch_size, axis=0)]

        super().__init__(
            name=recipe.name,
            filename=features.TFLITE_FILE,
            copy_assets=False,
            copy_assets_extra=False,
            quantization_optimizations=[tf.lite.Optimize.DEFAULT] if recipe.is_quantized else [],
            quantization_supported_types=[tf.float16] if recipe.weight_bytes == 2 else [],
            quantization_enable_full_integer=recipe.integer_activations,
            representative_dataset=representative_dataset if recipe.integer_activations else None,
        )
        self._recipe = recipe

    def _create_tflite_converter(self, *args: Any, **kwargs: Any) -> tf.lite.TFLiteConverter:
        """Sets what TFX's own does not: integer kernels only, and the types at the borders."""
        converter = super()._create_tflite_converter(*args, **kwargs)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if self._recipe.integer_activations:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            calibration.keep_ranges_apart(converter)
        if self._recipe.integer_io:
            converter.inference_input_type = tf.int8
            converter.inference_output_type = tf.int8
        return converter

    def _rewrite(
        self,
        original_model: rewriter.ModelDescription,
        rewritten_model: rewriter.ModelDescription,
    ) -> None:
        """Converts as TFX does."""
        try:
            super()._rewrite(original_model, rewritten_model)
        except (ConverterError, RuntimeError) as error:  # the latter from its quantization
            raise ConverterFailedError(str(error)) from error


def rewrite(
    saved_model_dir: str,
    destination: str,
    recipe: Recipe,
    representative_images: np.ndarray | None,
    batch_size: int,
) -> str:
    """Writes `destination`/tflite, converted by a recipe, as TFLite's converter leaves it.

    Args:
      saved_model_dir: a SavedModel that takes `image_floats` float32[batch_size, num_pixels].
      destination: folder for the file.
      recipe: how to convert.
      representative_images: float32[N, num_pixels] in [0, 1], which set the ranges of the
        activations; None for recipes that leave activations in float32.
      batch_size: of the SavedModel.

    Returns:
      The path of the TFLite file.

    Raises:
      ConverterFailedError: TFLite's converter failed.
      ValueError: the recipe needs representative images and there are none.
    """
    if recipe.integer_activations and (
        representative_images is None or not len(representative_images)
    ):
        raise ValueError(
            f"the recipe {recipe.name} takes the ranges of activations from representative images: "
            "give at least one"
        )
    converter = rewriter_factory.create_rewriter(
        RecipeTFLiteRewriter.__name__, recipe, representative_images, batch_size
    )
    converter.perform_rewrite(
        rewriter.ModelDescription(rewriter.ModelType.SAVED_MODEL, saved_model_dir),
        rewriter.ModelDescription(rewriter.ModelType.TFLITE_MODEL, destination),
    )
    return os.path.join(destination, features.TFLITE_FILE)
