"""Compares a SavedModel with JAX in every way that it is called."""

from collections.abc import Callable, Iterator

import jax
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf

from modules import features
from modules.export import logit_checks
from modules.export.reusable import batch_sizes, reading
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
    shape = reading.image_shape(loaded)
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


def check_saved(directory: str, model: Model) -> list[str]:
    """Does what `check_calls` does with a SavedModel that is there, on images drawn at random.

    Args:
      directory: of a SavedModel of this project, as a Pusher wrote it.
      model: that was trained; it gets the variables of the SavedModel.

    Raises:
      ConfigError: this is no SavedModel of that model.
      logit_checks.ExportMismatchError: it does not compute what JAX does.
    """
    trained = reading.read_trained(directory, model)
    network, transform = trained.network, trained.tft_output.transform_features_layer()
    images = np.random.default_rng(0).random((_DRAWN, network.task.num_pixels), np.float32)
    normalized = transform({features.IMAGE_FLOATS: images})[features.IMAGE_NORMALIZED].numpy()
    expected = np.asarray(network.logits(trained.variables, normalized))
    return check_calls(directory, images, expected)
