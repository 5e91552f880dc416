"""What our TFLite models are measured against: the same function, made and converted otherwise."""

from collections.abc import Iterator, Mapping

import jax
import keras
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf

from benchmarks.peers.training_peers import NETWORK
from modules import features
from modules.export.recipes import Recipe
from modules.inference import litert

Params = Mapping[str, Mapping[str, np.ndarray]]
_LAYERS = ("Conv_0", "Conv_1", "Dense_0", "logits")  # Flax's names, in the order of Keras's layers


def make_keras_model(params: Params, mean: np.float32, scale: np.float32) -> keras.Model:
    """Returns the network in Keras, from raw images float32[B, 784] to logits.

    Args:
      params: of the Flax network; Keras's kernels have the same layout.
      mean: subtracted from every pixel.
      scale: what the difference is multiplied by.

    Raises:
      ValueError: Flax's network has other layers.
    """
    if sorted(params) != sorted(_LAYERS):
        raise ValueError(
            f"the network has the layers {sorted(params)}, expected {sorted(_LAYERS)}: write the "
            "one of modules/models/cnn.py here in Keras"
        )
    layers = keras.layers
    images = keras.Input((NETWORK.task.num_pixels,), name=features.IMAGE_FLOATS)
    x = layers.Reshape(NETWORK.task.image_shape)((images - mean) * scale)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(256, activation="relu")(x)
    num_classes = len(params["logits"]["bias"])
    keras_model = keras.Model(images, layers.Dense(num_classes)(x))
    keras_model.set_weights(
        [params[layer][kind] for layer in _LAYERS for kind in ("kernel", "bias")]
    )
    return keras_model


def save_polymorphic(params: Params, mean: np.float32, scale: np.float32, directory: str) -> None:
    """Writes the Flax network as a SavedModel that takes any batch, as jax2tf's manual says.

    Args:
      params: of the network.
      mean: subtracted from every pixel.
      scale: what the difference is multiplied by.
      directory: to write to.
    """
    module = tf.Module()
    module.parameters = jax.tree.map(tf.Variable, params)
    apply = jax2tf.convert(
        lambda params, pixels: NETWORK.logits({"params": params}, pixels),
        polymorphic_shapes=[None, "(b, ...)"],
        with_gradient=False,
    )
    size = NETWORK.task.num_pixels
    image_spec = tf.TensorSpec([None, size], tf.float32, name=features.IMAGE_FLOATS)

    @tf.function(autograph=False, input_signature=[image_spec])
    def predict(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = (image_floats - mean) * scale
        return {features.LOGITS: apply(module.parameters, pixels)}

    tf.saved_model.save(module, directory, signatures={litert.SIGNATURE: predict})


def convert(saved_model_dir: str, recipe: Recipe, representative_images: np.ndarray) -> bytes:
    """Returns the TFLite model that TFLite's converter makes by itself.

    Set as https://ai.google.dev/edge/litert/models/post_training_quantization says.

    Args:
      saved_model_dir: takes raw images.
      recipe: FLOAT32, DYNAMIC_RANGE or INT8.
      representative_images: raw float32[N, 784], for the ranges of integer activations.

    Raises:
      RuntimeError: an operator has no kernel of the recipe's types.
    """

    def representative_dataset() -> Iterator[list[np.ndarray]]:
        for image in representative_images:
            yield [image[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model_dir)
    if recipe.weight_bytes == 1:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.integer_activations:
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()
