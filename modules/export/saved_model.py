"""A trained network as a SavedModel, through jax2tf."""

import math
from collections.abc import Callable

import jax
import jax.export
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf
from tensorflow.compiler.tf2xla.python import xla as tfxla

from modules import features
from modules.examples import tf_examples
from modules.export.forms import rules
from modules.export.trained import Inference, Trained

# Takes serialized tf.Examples and gives probabilities and class beside the logits.
SERVE_EXAMPLES = "serving_default"
SERVE_IMAGES = "predict_images"  # takes `image_floats` and gives the logits


def check_serialization_version(jax_writes: int, tensorflow_reads: int) -> None:
    """Raises ImportError when JAX serializes functions in a newer form than TensorFlow reads.

    See https://docs.jax.dev/en/latest/export/export.html#compatibility-guarantees.
    """
    if jax_writes > tensorflow_reads:
        raise ImportError(
            f"JAX {jax.__version__} writes serialization version {jax_writes}, TensorFlow "
            f"{tf.__version__} reads up to {tensorflow_reads}: install the locked versions with "
            f"`make setup`, or set JAX_EXPORT_CALLING_CONVENTION_VERSION={tensorflow_reads}"
        )


check_serialization_version(
    jax.config.jax_export_calling_convention_version, tfxla.call_module_maximum_supported_version()
)


def save_saved_model(trained: Trained, directory: str) -> None:
    """Writes a SavedModel with the signatures SERVE_EXAMPLES and SERVE_IMAGES.

    It contains the Transform graph and takes raw images. Of the variables it holds those that
    inference reads, as they are.

    Args:
      trained: what to write.
      directory: to write to.
    """
    task = trained.network.task
    inference, leaves = trained.inference()
    inference = _for_any_batch(rules.for_tensorflow(inference), leaves, task.num_pixels)
    module, predict_images = make_module(trained, inference, leaves, batch_size=None)
    spec = tf_examples.raw_feature_spec(task.num_pixels)
    image_spec = {features.IMAGE_FLOATS: spec[features.IMAGE_FLOATS]}

    @tf.function(autograph=False, input_signature=predict_images.input_signature)
    def serve_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        return {features.LOGITS: _in_few_batch_sizes(predict_images, image_floats)}

    @tf.function(
        autograph=False, input_signature=[tf.TensorSpec([None], tf.string, name="examples")]
    )
    def serve_examples(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = serve_images(**tf.io.parse_example(serialized, image_spec))[features.LOGITS]
        return {
            features.LOGITS: logits,
            features.PROBABILITIES: tf.nn.softmax(logits),
            features.CLASS: tf.argmax(logits, axis=1),
        }

    signatures = {SERVE_EXAMPLES: serve_examples, SERVE_IMAGES: serve_images}
    tf.saved_model.save(module, directory, signatures=signatures)


def _for_any_batch(inference: Inference, leaves: list[np.ndarray], num_pixels: int) -> Inference:
    """Returns a function that JAX can trace for a batch whose size it does not know.

    Many a network takes the size for a number, as `len(images)` does: it gets one image at a time
    then, and `jax.vmap` makes a batch of that.
    """
    (size,) = jax.export.symbolic_shape("b")
    pixels = jax.ShapeDtypeStruct((size, num_pixels), np.float32)
    try:
        jax.eval_shape(inference, leaves, pixels)
    except Exception:  # whatever the network makes of a size that is no number
        return lambda leaves, pixels: jax.vmap(
            lambda image: inference(leaves, image[np.newaxis])[0]
        )(pixels)
    return inference


def make_module(
    trained: Trained, inference: Inference, leaves: list[np.ndarray], batch_size: int | None
) -> tuple[tf.Module, Callable[[tf.Tensor], dict[str, tf.Tensor]]]:
    """Returns a module that owns the variables, and its function from raw images to logits.

    Args:
      trained: the network's task and the graph that comes before it.
      inference: of the network, as `Trained.inference` gives it, or another form of that.
      leaves: its first argument.
      batch_size: that the function takes; None for any.
    """
    module = tf.Module()
    module.leaves = [tf.Variable(leaf, trainable=False) for leaf in leaves]
    module.transform = trained.tft_output.transform_features_layer()
    polymorphic_shapes = [None, "(b, ...)"] if batch_size is None else None
    converted = jax2tf.convert(
        inference, polymorphic_shapes=polymorphic_shapes, with_gradient=False
    )
    image_spec = tf.TensorSpec(
        [batch_size, trained.network.task.num_pixels], tf.float32, name=features.IMAGE_FLOATS
    )

    @tf.function(autograph=False, input_signature=[image_spec])
    def predict_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        transformed = module.transform({features.IMAGE_FLOATS: image_floats})
        leaves = list(module.leaves)  # jax2tf knows no list that TensorFlow keeps track of
        return {features.LOGITS: converted(leaves, transformed[features.IMAGE_NORMALIZED])}

    return module, predict_images


def _in_few_batch_sizes(
    predict_images: Callable[[tf.Tensor], dict[str, tf.Tensor]], image_floats: tf.Tensor
) -> tf.Tensor:
    """Pads the batch to a power of two and cuts the logits back to it.

    TensorFlow compiles a jax2tf function anew for every batch size it meets, which takes longer
    than a thousand images do; a server, or TFMA, would meet hundreds.
    """
    size = tf.shape(image_floats)[0]
    exponent = tf.math.ceil(tf.math.log(tf.cast(tf.maximum(size, 1), tf.float64)) / math.log(2))
    padding = tf.cast(2.0**exponent, tf.int32) - size
    padded = tf.pad(image_floats, [[0, padding], [0, 0]])
    return predict_images(padded)[features.LOGITS][:size]


def load_saved_model(directory: str) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the SavedModel as a function from raw images float32[B, num_pixels] to its logits."""
    loaded = tf.saved_model.load(directory)

    def predict(images: np.ndarray) -> np.ndarray:
        feed = {features.IMAGE_FLOATS: tf.constant(images)}
        return loaded.signatures[SERVE_IMAGES](**feed)[features.LOGITS].numpy()

    return predict


def predict_saved_model(directory: str, images: np.ndarray, batch_size: int = 512) -> np.ndarray:
    """Returns the SavedModel's logits float32[N, classes] for raw images float32[N, num_pixels]."""
    predict = load_saved_model(directory)
    starts = range(0, len(images), batch_size)
    return np.concatenate([predict(images[start : start + batch_size]) for start in starts])
