"""A pushed SavedModel as what it was made of: a network, its variables and the graph before it."""

from typing import Any

import jax
import numpy as np
import tensorflow as tf

from data.errors import ConfigError
from data.task import Task
from modules import features
from modules.export.reusable import objects
from modules.export.trained import Trained
from modules.models.leaves import named_leaves
from modules.models.network import Network
from modules.models.protocol import Model


class SavedTransform:
    """Transform's graph as a SavedModel of this project has it, for who wants it of TFT."""

    def __init__(self, loaded: tf.train.Checkpoint):
        self._loaded = loaded

    def transform_features_layer(self) -> tf.Module:
        """Returns what maps raw features to transformed ones, each by name."""
        return _Layer(self._loaded)


class _Layer(tf.Module):
    def __init__(self, loaded: tf.train.Checkpoint):
        super().__init__()
        self.normalize = loaded.normalize

    def __call__(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {features.IMAGE_NORMALIZED: self.normalize(raw[features.IMAGE_FLOATS])}


def read_trained(directory: str, model: Model, task: Task | None = None) -> Trained:
    """Returns what `saved_model.save_saved_model` was given.

    Variables that only training reads are fresh ones.

    Args:
      directory: of a SavedModel of this project, as a Pusher wrote it.
      model: that was trained.
      task: that it was trained for; None makes one with numbers for labels.

    Raises:
      ConfigError: this is no SavedModel of that model, or of another task.
    """
    try:
        loaded = tf.saved_model.load(directory)
        shape = image_shape(loaded)
        classes = loaded.__call__.concrete_functions[0].structured_outputs.shape[1]
    except (OSError, AttributeError, ValueError, StopIteration) as error:
        raise ConfigError(f"{directory} is no SavedModel of this project: {error}") from error
    if task and (task.image_shape, task.num_classes) != (shape, classes):
        raise ConfigError(
            f"{directory} takes images of {shape} and gives {classes} logits, not "
            f"{task.image_shape} and {task.num_classes} as the data set {task.name}"
        )
    task = task or Task("saved", shape, tuple(map(str, range(classes))))
    network = Network(model, task)
    return Trained(network, _variables(loaded, network, directory), SavedTransform(loaded))


def image_shape(loaded: tf.train.Checkpoint) -> tuple[int, int, int]:
    """Returns the height, width and channels that a loaded SavedModel of ours was traced for."""
    specs = [call.structured_input_signature[0][0] for call in loaded.__call__.concrete_functions]
    return next(tuple(spec.shape[1:]) for spec in specs if spec.shape.rank == 4)


def _variables(loaded: tf.train.Checkpoint, network: Network, directory: str) -> Any:
    """Returns the model's variables with the values that the SavedModel has of them."""
    fresh = network.init(0)
    leaves = jax.tree.leaves(fresh)
    places = {objects.scope(name): place for place, (name, _) in enumerate(named_leaves(fresh))}
    for variable in loaded.variables:
        name = variable.name.removesuffix(":0")
        place = places.get(name)
        if place is None or leaves[place].shape != variable.shape:
            raise ConfigError(
                f"{directory} has a variable {name} of shape {variable.shape}, and the model has "
                "none such; give the model that was trained as MODEL"
            )
        leaves[place] = np.asarray(variable.numpy())
    return jax.tree.unflatten(jax.tree.structure(fresh), leaves)
