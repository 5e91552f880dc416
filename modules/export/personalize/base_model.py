"""The base of a personal model, from images to features, as a TFLite model by a recipe."""

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np
import tensorflow_transform as tft

from data.task import Task
from modules.export import tflite
from modules.export.recipes import Recipe
from modules.export.trained import Trained
from modules.jaxprs.cuts import Cut
from modules.models import pure
from modules.models.network import Network


def convert(
    cut: Cut,
    leaves: Sequence[np.ndarray],
    task: Task,
    tft_output: tft.TFTransformOutput,
    recipe: Recipe,
    directory: str,
    representative_images: np.ndarray | None = None,
) -> str:
    """Writes the part of a network before a cut as `directory`/tflite; returns the path.

    It is converted and checked as a whole network is, and its features are called logits, too.

    Args:
      cut: of the network.
      leaves: the arrays of the network.
      task: whose images it takes.
      tft_output: the Transform graph that comes before it.
      recipe: how to convert.
      directory: to write to.
      representative_images: as `tflite.Converter.save` takes them.

    Raises:
      ConversionError: it could not be converted, or failed a check.
    """
    base = pure(
        lambda key, task: None,
        lambda arrays, images: cut.base.function(arrays, images.reshape((len(images), -1))),
    )
    outputs = tuple(str(place) for place in range(cut.size))
    network = Network(base, dataclasses.replace(task, label_names=outputs))
    arrays = jax.tree.map(np.asarray, [leaves[place] for place in cut.base.read])
    trained = Trained(network, arrays, tft_output)
    return tflite.save_tflite(trained, recipe, directory, representative_images).path
