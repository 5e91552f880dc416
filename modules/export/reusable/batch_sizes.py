"""Batches of the sizes that a function was traced for: any, or a few that are fixed."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Maps float32[B, num_pixels] to logits float32[B, classes].
Predict = Callable[[tf.Tensor], tf.Tensor]


def sizes_of(loaded: Any) -> tuple[int, ...]:
    """Returns the batch sizes that the root of a loaded SavedModel was traced for, () for any."""
    call = loaded.__call__ if callable(loaded) else None
    functions = getattr(call, "concrete_functions", ())
    first = {function.structured_input_signature[0][0].shape[0] for function in functions}
    return tuple(sorted(first)) if None not in first else ()


def in_powers_of_two(predict: Predict, images: tf.Tensor) -> tf.Tensor:
    """Pads the batch to a power of two and cuts the logits back to it.

    TensorFlow compiles a jax2tf function anew for every batch size it meets, which takes longer
    than a thousand images do; a server, or TFMA, would meet hundreds.
    """
    size = tf.shape(images)[0]
    exponent = tf.math.ceil(tf.math.log(tf.cast(tf.maximum(size, 1), tf.float64)) / math.log(2))
    padding = tf.cast(2.0**exponent, tf.int32) - size
    return predict(tf.pad(images, [[0, padding], [0, 0]]))[:size]


def of_these_alone(predict: Predict, images: tf.Tensor, sizes: Sequence[int]) -> tf.Tensor:
    """Hands on a batch of one of the sizes; another is an InvalidArgumentError that lists them."""
    size = tf.shape(images)[0]
    is_one = tf.equal(tf.constant(sizes), size)
    known = tf.debugging.Assert(
        tf.reduce_any(is_one), [f"this model takes batches of {listed(sizes)} images, not of", size]
    )
    branches = [lambda size=size: predict(tf.ensure_shape(images, [size, None])) for size in sizes]
    with tf.control_dependencies([known]):
        return tf.switch_case(tf.argmax(is_one, output_type=tf.int32), branches)


def in_these_sizes(predict: Predict, images: tf.Tensor, sizes: Sequence[int]) -> tf.Tensor:
    """Cuts a batch of any size into the largest of the sizes, and pads what is left."""
    largest, size = sizes[-1], tf.shape(images)[0]
    whole = size // largest
    chunks = tf.reshape(images[: whole * largest], [whole, largest, images.shape[1]])
    spec = tf.TensorSpec([largest, None], tf.float32)
    logits = tf.map_fn(predict, chunks, fn_output_signature=spec)
    left = images[whole * largest :]
    count = size - whole * largest

    def padded(size: int) -> tf.Tensor:
        batch = tf.pad(left, [[0, size - count], [0, 0]])
        return predict(tf.ensure_shape(batch, [size, None]))[:count]

    place = tf.searchsorted(tf.constant(sizes), [tf.maximum(count, 1)])[0]
    rest = tf.switch_case(place, [lambda size=size: padded(size) for size in sizes])
    return tf.concat([tf.reshape(logits, [whole * largest, tf.shape(rest)[1]]), rest], axis=0)


def split(images: np.ndarray, sizes: Sequence[int]) -> list[tuple[np.ndarray, int]]:
    """Returns the images in batches of these sizes, each with how many of its rows are asked for.

    What is more than those are copies of the last image.
    """
    batches, start = [], 0
    while start < len(images):
        left = len(images) - start
        size = min((size for size in sizes if size >= left), default=sizes[-1])
        rows = images[start : start + size]
        copies = np.repeat(rows[-1:], size - len(rows), axis=0)
        batches.append((np.concatenate([rows, copies]), len(rows)))
        start += size
    return batches


def listed(sizes: Sequence[int]) -> str:
    """Returns sizes in words: "1, 16 or 128"."""
    *first, last = map(str, sizes)
    return f"{', '.join(first)} or {last}" if first else last
