"""A trained network as a SavedModel, through jax2tf."""

import os
import re
from collections.abc import Callable, Sequence

import jax
import jax.export
import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla as tfxla
from tensorflow.core.protobuf import saved_model_pb2

from modules import features
from modules.examples import tf_examples
from modules.export.forms import rules
from modules.export.reusable import batch_sizes, objects
from modules.export.trained import Trained
from modules.jaxprs import cuts

# Takes serialized tf.Examples and gives probabilities and class beside the logits.
SERVE_EXAMPLES = "serving_default"
SERVE_IMAGES = "predict_images"  # takes `image_floats` and gives the logits
# Takes `image_floats` and gives what the last dense layer takes, where there is one.
SERVE_FEATURES = "predict_features"
# As SERVE_EXAMPLES for any number of examples, where that takes a few batch sizes alone.
EVALUATE_EXAMPLES = "evaluate_examples"


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


def save_saved_model(trained: Trained, directory: str, sizes: Sequence[int] = ()) -> list[str]:
    """Writes a SavedModel that can be served, called, and trained further.

    It contains the Transform graph and takes raw images. Of the variables it holds those that
    inference reads, as they are. The signatures are SERVE_EXAMPLES, SERVE_IMAGES and, where they
    make sense, SERVE_FEATURES and EVALUATE_EXAMPLES. The object is an `objects.Reusable`; one more,
    the network without its last dense layer, is its `feature_extractor`.

    Args:
      trained: what to write.
      directory: to write to.
      sizes: of the batches that it takes, in rising order; none for any.

    Returns:
      What it cannot do, and why, a sentence each.
    """
    try:
        return _save(trained, directory, sizes, with_gradient=True)
    except Exception as error:  # whatever JAX or TensorFlow make of the gradient
        lacks = _save(trained, directory, sizes, with_gradient=False)
        return [f"the SavedModel cannot be trained further: {_reason(error)}", *lacks]


def _reason(error: BaseException) -> str:
    """Returns the first line of what went wrong, without TensorFlow's account of the places."""
    error = error.__cause__ or error
    text = str(error).strip()
    cause = re.search(rf"^ *{type(error).__name__}: (.+)$", text, re.MULTILINE)
    return cause[1] if cause else text.partition("\n")[0]


def _save(trained: Trained, directory: str, sizes: Sequence[int], with_gradient: bool) -> list[str]:
    task, lacks = trained.network.task, []
    inference, leaves = trained.inference()
    inference = rules.for_tensorflow(inference)
    if not sizes:
        inference = objects.any_batch(inference, leaves, task.num_pixels)
    variables = objects.make_variables(leaves, trained.described())
    builder = objects.Builder(variables, trained.tft_output, task)
    root = builder.reusable(inference, range(len(leaves)), sizes, with_gradient)
    root.transform, root.normalize = builder.transform, builder.normalize
    signatures = _of_examples(root.__call__, task.num_pixels, sizes)
    signatures[SERVE_IMAGES] = _of_images(root.__call__, features.LOGITS, task.num_pixels, sizes)
    try:
        base = cuts.before_last_dense(inference, leaves, task.num_pixels).base
        root.feature_extractor = builder.reusable(base.function, base.read, sizes, with_gradient)
        signatures[SERVE_FEATURES] = _of_images(
            root.feature_extractor.__call__, features.FEATURES, task.num_pixels, sizes
        )
    except cuts.CutError as error:
        lacks.append(f"the SavedModel has no feature extractor: {error}")
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=with_gradient)
    tf.saved_model.save(root, directory, signatures=signatures, options=options)
    return lacks


def _of_images(
    predict: batch_sizes.Predict, output: str, num_pixels: int, sizes: Sequence[int]
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Returns a signature that takes `image_floats`."""
    spec = tf.TensorSpec([None, num_pixels], tf.float32, name=features.IMAGE_FLOATS)

    @tf.function(autograph=False, input_signature=[spec])
    def serve_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        if sizes:
            return {output: batch_sizes.of_these_alone(predict, image_floats, sizes)}
        return {output: batch_sizes.in_powers_of_two(predict, image_floats)}

    return serve_images


def _of_examples(
    predict: batch_sizes.Predict, num_pixels: int, sizes: Sequence[int]
) -> dict[str, Callable[[tf.Tensor], dict[str, tf.Tensor]]]:
    """Returns the signatures that take serialized tf.Examples."""
    spec = tf_examples.raw_feature_spec(num_pixels)
    image_spec = {features.IMAGE_FLOATS: spec[features.IMAGE_FLOATS]}

    def signature(of_batch: batch_sizes.Predict) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
        @tf.function(
            autograph=False, input_signature=[tf.TensorSpec([None], tf.string, name="examples")]
        )
        def serve_examples(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
            parsed = tf.io.parse_example(serialized, image_spec)
            logits = of_batch(parsed[features.IMAGE_FLOATS])
            return {
                features.LOGITS: logits,
                features.PROBABILITIES: tf.nn.softmax(logits),
                features.CLASS: tf.argmax(logits, axis=1),
            }

        return serve_examples

    if not sizes:
        any_size = signature(lambda images: batch_sizes.in_powers_of_two(predict, images))
        return {SERVE_EXAMPLES: any_size}
    return {
        SERVE_EXAMPLES: signature(
            lambda images: batch_sizes.of_these_alone(predict, images, sizes)
        ),
        EVALUATE_EXAMPLES: signature(
            lambda images: batch_sizes.in_these_sizes(predict, images, sizes)
        ),
    }


def evaluation_signature(directory: str) -> str:
    """Returns the name of the signature that takes any number of serialized tf.Examples."""
    with tf.io.gfile.GFile(os.path.join(directory, "saved_model.pb"), "rb") as file:
        meta_graph = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs[0]
    return EVALUATE_EXAMPLES if EVALUATE_EXAMPLES in meta_graph.signature_def else SERVE_EXAMPLES


def load_saved_model(directory: str) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the SavedModel as a function from raw images float32[B, num_pixels] to its logits.

    B may be any: where it takes a few batch sizes alone, it gets the images in these.
    """
    loaded = tf.saved_model.load(directory)
    sizes = batch_sizes.sizes_of(loaded)

    def of_batch(images: np.ndarray) -> np.ndarray:
        feed = {features.IMAGE_FLOATS: tf.constant(images)}
        return loaded.signatures[SERVE_IMAGES](**feed)[features.LOGITS].numpy()

    def of_batches(images: np.ndarray) -> np.ndarray:
        batches = batch_sizes.split(images, sizes)
        return np.concatenate([of_batch(batch)[:rows] for batch, rows in batches])

    return of_batches if sizes else of_batch


def predict_saved_model(directory: str, images: np.ndarray, batch_size: int = 512) -> np.ndarray:
    """Returns the SavedModel's logits float32[N, classes] for raw images float32[N, num_pixels]."""
    predict = load_saved_model(directory)
    starts = range(0, len(images), batch_size)
    return np.concatenate([predict(images[start : start + batch_size]) for start in starts])
