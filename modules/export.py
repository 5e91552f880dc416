"""Exports trained parameters twice: a jax2tf SavedModel and a TFLite file, and checks both."""

import math
import os
import tempfile
from collections.abc import Callable

import jax
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from jax.experimental import jax2tf
from tensorflow.compiler.tf2xla.python import xla as tfxla

from modules import examples, features, litert, model, tflite_rewriter

SERVE_EXAMPLES = "serving_default"  # takes serialized tf.Examples
SERVE_IMAGES = "predict_images"  # takes `image_floats`
MAX_LOGIT_DIFFERENCE = 1e-4  # of log-probabilities, between two formats of one model


class ExportMismatchError(RuntimeError):
    """An exported model does not compute what the trained one does."""


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


def save_models(params: model.Params, tft_output: tft.TFTransformOutput, directory: str) -> None:
    """Writes the SavedModel into `directory` and the TFLite model beside it, as `tflite`.

    Both contain the Transform graph and take raw images; both come from the same parameters.

    Raises:
      tflite_rewriter.ConversionError: the TFLite model failed a check.
    """
    _save_saved_model(params, tft_output, directory)
    with tempfile.TemporaryDirectory() as scratch:
        # From a batch of any size TFLite's converter makes some 70 operators, from a fixed one 11;
        # the rewriter frees the batch afterwards.
        module, predict_images = _make_module(params, tft_output, batch_size=1)
        # TFLite names its inputs after the signature, and TFMA strips `serving_default_` only.
        tf.saved_model.save(module, scratch, signatures={litert.SIGNATURE: predict_images})
        tflite_rewriter.rewrite(scratch, directory)


def _save_saved_model(
    params: model.Params, tft_output: tft.TFTransformOutput, directory: str
) -> None:
    """Writes a SavedModel with the signatures SERVE_EXAMPLES and SERVE_IMAGES."""
    module, predict_images = _make_module(params, tft_output, batch_size=None)
    image_spec = {features.IMAGE_FLOATS: examples.RAW_FEATURE_SPEC[features.IMAGE_FLOATS]}

    @tf.function(autograph=False, input_signature=predict_images.input_signature)
    def serve_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        return {features.LOGITS: _in_few_batch_sizes(predict_images, image_floats)}

    @tf.function(
        autograph=False, input_signature=[tf.TensorSpec([None], tf.string, name="examples")]
    )
    def serve_examples(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        return serve_images(tf.io.parse_example(serialized, image_spec)[features.IMAGE_FLOATS])

    signatures = {SERVE_EXAMPLES: serve_examples, SERVE_IMAGES: serve_images}
    tf.saved_model.save(module, directory, signatures=signatures)


def _make_module(
    params: model.Params, tft_output: tft.TFTransformOutput, batch_size: int | None
) -> tuple[tf.Module, Callable[[tf.Tensor], dict[str, tf.Tensor]]]:
    """Returns a module that owns the parameters, and its function from raw images to logits.

    Args:
      params: of the network.
      tft_output: the graph that comes before it.
      batch_size: that the function takes; None for any.
    """
    module = tf.Module()
    variables = jax.tree.map(lambda leaf: tf.Variable(leaf, trainable=False), params)
    module.parameters = jax.tree.leaves(variables)
    module.transform = tft_output.transform_features_layer()
    polymorphic_shapes = [None, "(b, ...)"] if batch_size is None else None
    apply_flat = jax2tf.convert(
        model.apply_flat, polymorphic_shapes=polymorphic_shapes, with_gradient=False
    )
    image_spec = tf.TensorSpec(
        [batch_size, features.NUM_PIXELS], tf.float32, name=features.IMAGE_FLOATS
    )

    @tf.function(autograph=False, input_signature=[image_spec])
    def predict_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        transformed = module.transform({features.IMAGE_FLOATS: image_floats})
        return {features.LOGITS: apply_flat(variables, transformed[features.IMAGE_NORMALIZED])}

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
    """Returns the SavedModel as a function from raw images float32[B, 784] to its logits."""
    loaded = tf.saved_model.load(directory)

    def predict(images: np.ndarray) -> np.ndarray:
        feed = {features.IMAGE_FLOATS: tf.constant(images)}
        return loaded.signatures[SERVE_IMAGES](**feed)[features.LOGITS].numpy()

    return predict


def predict_saved_model(directory: str, images: np.ndarray, batch_size: int = 512) -> np.ndarray:
    """Returns the SavedModel's logits float32[N, classes] for raw images float32[N, 784]."""
    predict = load_saved_model(directory)
    starts = range(0, len(images), batch_size)
    return np.concatenate([predict(images[start : start + batch_size]) for start in starts])


def check_models(directory: str, images: np.ndarray, jax_logits: np.ndarray) -> None:
    """Reloads both models and compares them with JAX on real examples.

    Args:
      directory: what `save_models` wrote.
      images: raw images float32[N, 784].
      jax_logits: float32[N, classes], what the trained parameters give for them.

    Raises:
      ExportMismatchError: an argmax or a logit differs by more than rounding.
    """
    check_logits("SavedModel", jax_logits, predict_saved_model(directory, images))
    tflite_path = os.path.join(directory, features.TFLITE_FILE)
    check_logits("TFLite model", jax_logits, litert.predict(tflite_path, images))


def check_logits(name: str, expected: np.ndarray, found: np.ndarray) -> None:
    """Raises ExportMismatchError unless two float32[N, classes] agree.

    Each logit must be within MAX_LOGIT_DIFFERENCE (in proportion more where it is beyond 100, since
    float32 has seven digits), each argmax the same but where the best two are exactly tied.
    """
    if found.shape != expected.shape:
        raise ExportMismatchError(
            f"the {name} gives logits of shape {found.shape}, JAX {expected.shape}"
        )
    limits = MAX_LOGIT_DIFFERENCE * np.maximum(1, np.abs(expected) / 100)
    excess = (np.abs(found - expected) / limits).max(axis=1)
    worst = int(np.argmax(np.nan_to_num(excess, nan=np.inf)))
    if not excess[worst] <= 1:
        raise ExportMismatchError(
            f"the {name} differs from JAX in the logits of example {worst} by {excess[worst]:.2g} "
            f"times what is allowed ({MAX_LOGIT_DIFFERENCE:g}): {found[worst]} against "
            f"{expected[worst]}"
        )
    rows = np.arange(len(expected))
    is_best = expected[rows, found.argmax(axis=1)] == expected.max(axis=1)
    if not is_best.all():
        row = int(np.flatnonzero(~is_best)[0])
        raise ExportMismatchError(
            f"the {name} and JAX disagree on {np.count_nonzero(~is_best)} of {len(rows)} examples, "
            f"first on example {row}: {found[row]} against {expected[row]}"
        )
