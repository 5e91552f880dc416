"""Transform's `preprocessing_fn`: raw features to what the network is trained on."""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from modules import features


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """Normalises the images by the mean and the deviation of all pixels of the train split.

    The statistics are computed in float64, so that the order in which Beam adds them up does not
    change the float32 constants of the graph.

    Args:
      inputs: `image_floats` float32[B, pixels] in [0, 1] and `image_class` int64[B, 1].

    Returns:
      `image_normalized` float32[B, pixels], mean 0 and variance 1 over the train split (all zero
      when every pixel is the same), and `image_class` unchanged.
    """
    images = inputs[features.IMAGE_FLOATS]
    pixels = tf.cast(images, tf.float64)
    mean, variance = tft.mean(pixels), tft.var(pixels)
    deviation = tf.where(variance > 0, tf.sqrt(variance), tf.ones_like(variance))
    normalized = (images - tf.cast(mean, tf.float32)) * tf.cast(1.0 / deviation, tf.float32)
    return {
        features.IMAGE_NORMALIZED: normalized,
        features.IMAGE_CLASS: inputs[features.IMAGE_CLASS],
    }
