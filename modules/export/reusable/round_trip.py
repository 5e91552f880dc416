"""Compares a SavedModel with JAX in every way that it is called."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf

from data.errors import ConfigError
from data.task import Task
from modules.export import logit_checks
from modules.export.reusable import batch_sizes, objects
from modules.models.leaves import named_leaves
from modules.models.network import Network
from modules.models.protocol import Model

_ANY = (1, 16)  # what stands for any batch
_DRAWN = 64  # images
_Call = Callable[[np.ndarray], np.ndarray]


def check_calls(directory: str, raw_images: np.ndarray, expected: np.ndarray) -> list[str]:
    """Raises ExportMismatchError unless each call of the SavedModel computes what JAX does.

    The object is called by TensorFlow, for each batch size, with pixels in a row and as
    images; compiled by `jit_compile`; and by JAX, inside `jax.jit`.

    Args:
      directory: of a SavedModel that `saved_model.save_saved_model` wrote.
      raw_images: float32[N, num_pixels].
      expected: JAX's logits float32[N, classes].

    Returns:
      The ways, in words.
    """
    loaded = tf.saved_model.load(directory)
    ways = []
    for way, size, call in _ways(loaded, expected.shape[1]):
        rows = np.arange(size) % len(raw_images)
        logit_checks.check_logits(f"SavedModel {way}", expected[rows], call(raw_images[rows]))
        ways.append(way)
    return ways


def _ways(loaded: tf.train.Checkpoint, classes: int) -> Iterator[tuple[str, int, _Call]]:
    """Yields each way in words, its batch size and its function of raw images."""
    sizes = batch_sizes.sizes_of(loaded) or _ANY
    shape = image_shape(loaded)
    compiled = tf.function(loaded.__call__, jit_compile=True)
    for size in sizes:
        logits = jax.ShapeDtypeStruct((size, classes), np.float32)
        by_jax = jax.jit(jax2tf.call_tf(loaded.__call__, output_shape_dtype=logits))
        for way, call in (
            ("called with pixels", loaded),
            ("called with images", lambda rows: loaded(rows.reshape((-1, *shape)))),
            ("compiled by jit_compile", compiled),
            ("called by jax.jit", by_jax),
        ):
            yield f"{way}, batch {size}", size, lambda rows, call=call: np.asarray(call(rows))


def image_shape(loaded: tf.train.Checkpoint) -> tuple[int, int, int]:
    """Returns the height, width and channels that a loaded SavedModel of ours was traced for."""
    specs = [call.structured_input_signature[0][0] for call in loaded.__call__.concrete_functions]
    return next(tuple(spec.shape[1:]) for spec in specs if spec.shape.rank == 4)


def check_saved(directory: str, model: Model) -> list[str]:
    """Does what `check_calls` does with a SavedModel that is there, on images drawn at random.

    Args:
      directory: of a SavedModel of this project, as a Pusher wrote it.
      model: that was trained; it gets the variables of the SavedModel.

    Raises:
      ConfigError: this is no SavedModel of that model.
      logit_checks.ExportMismatchError: it does not compute what JAX does.
    """
    try:
        loaded = tf.saved_model.load(directory)
        shape = image_shape(loaded)
        classes = loaded.__call__.concrete_functions[0].structured_outputs.shape[1]
    except (OSError, AttributeError, ValueError) as error:
        raise ConfigError(f"{directory} is no SavedModel of this project: {error}") from error
    network = Network(model, Task("drawn", shape, tuple(map(str, range(classes)))))
    variables = _variables(loaded, network, directory)
    images = np.random.default_rng(0).random((_DRAWN, network.task.num_pixels), np.float32)
    normalized = loaded.normalize(images).numpy()
    return check_calls(directory, images, np.asarray(network.logits(variables, normalized)))


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
        leaves[place] = variable.numpy()
    return jax.tree.unflatten(jax.tree.structure(fresh), leaves)
