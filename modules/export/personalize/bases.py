"""Where the base of a personal model comes from: a network in JAX, or a SavedModel of anybody's."""

import dataclasses
import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from data.errors import ConfigError
from modules import features
from modules.export import logit_checks, refusals, tflite
from modules.export.graph import flatbuffer
from modules.export.graph.flatbuffer import ConversionError
from modules.export.recipes import FLOAT32, Recipe
from modules.export.trained import Inference, Trained
from modules.inference import litert
from modules.jaxprs import cuts
from modules.models import pure
from modules.models.network import Network
from modules.personal.options import ALL, LAST


@dataclasses.dataclass(frozen=True)
class Base:
    """A TFLite file from images to features, and what may come after it.

    Attributes:
      path: of the file, which has the one signature `litert.SIGNATURE`.
      output: the name of its output.
      size: features of an image.
      features: maps raw images float32[N, num_pixels] to features float32[N, size], by LiteRT.
      rest: the layers of the network that come after: from their parameters, a list, and features
        to logits; None where they are not known.
      params: of these layers, as they were trained.
    """

    path: str
    output: str
    size: int
    rest: Inference | None = None
    params: Sequence[np.ndarray] = ()

    def features(self, images: np.ndarray) -> np.ndarray:
        """Returns the features float32[N, size] of raw images float32[N, num_pixels]."""
        run = litert.BatchRunner(litert.make_interpreter(self.path, litert.NUM_THREADS))
        return run({features.IMAGE_FLOATS: images})[self.output]


def of_network(
    trained: Trained,
    trains: str,
    directory: str,
    recipe: Recipe = FLOAT32,
    representative_images: np.ndarray | None = None,
) -> Base:
    """Makes the base of a network that was trained in JAX.

    It is converted and checked as a whole network is, and its features are called logits, too.

    Args:
      trained: the network.
      trains: what of it is trained on the device, and so is not in the base: "last:N" or "all".
      directory: to write `tflite` to.
      recipe: how to convert.
      representative_images: as `tflite.Converter.save` takes them.

    Raises:
      ConfigError: the network cannot be cut there.
      ConversionError: the base could not be converted, or failed a check.
    """
    inference, leaves = trained.inference()
    task = trained.network.task
    layers = None if trains == ALL else int(trains.removeprefix(LAST))
    try:
        cut = cuts.before_last(inference, leaves, task.num_pixels, layers)
    except cuts.CutError as error:
        raise ConfigError(f"{trains}: the network cannot be cut there: {error}") from error
    base = pure(
        lambda key, task: None,
        lambda arrays, images: cut.base.function(arrays, images.reshape((len(images), -1))),
    )
    outputs = tuple(str(place) for place in range(cut.size))
    network = Network(base, dataclasses.replace(task, label_names=outputs))
    arrays = [np.asarray(leaves[place]) for place in cut.base.read]
    converted = tflite.save_tflite(
        Trained(network, arrays, trained.tft_output), recipe, directory, representative_images
    )
    params = [np.asarray(leaves[place]) for place in cut.head.read]
    return Base(converted.path, features.LOGITS, cut.size, cut.head.function, params)


def of_saved_model(saved_model_dir: str, signature: str, directory: str) -> Base:
    """Makes a base of a signature of any SavedModel, from images to one row of features for each.

    Args:
      saved_model_dir: of anybody's.
      signature: that takes float32 images, and gives float32[B, size].
      directory: to write `tflite` to.

    Raises:
      ConfigError: there is no such SavedModel or signature, or it takes or gives something else.
      ConversionError: TFLite cannot express it.
    """
    try:
        loaded = tf.saved_model.load(saved_model_dir)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{saved_model_dir} is no SavedModel: {refusals.cause(error)}") from error
    if signature not in loaded.signatures:
        raise ConfigError(
            f"{saved_model_dir} has no signature {signature!r}; it has "
            f"{', '.join(loaded.signatures) or 'none'}"
        )
    function = loaded.signatures[signature]
    specs = list(function.structured_input_signature[1].values())
    outputs = function.structured_outputs
    if len(specs) != 1 or specs[0].dtype != tf.float32 or len(outputs) != 1:
        raise ConfigError(f"{signature}: expected one input float32 and one output, for images")
    shape = specs[0].shape[1:]
    [(output, row)] = outputs.items()
    if None in shape or row.shape.rank != 2 or row.shape[1] is None:
        raise ConfigError(
            f"{signature}: expected images of one size and a row of features for each, not "
            f"{specs[0].shape} and {row.shape}"
        )
    return _of_function(
        lambda images: function(**{specs[0].name: images})[output],
        tuple(shape),
        int(row.shape[1]),
        directory,
    )


def of_keras_application(name: str, weights: str | None, side: int, directory: str) -> Base:
    """Makes a base of one of Keras's networks, such as MobileNetV2, without its last layer.

    Args:
      name: in `keras.applications`.
      weights: "imagenet", which Keras downloads, a file of weights, or None for random ones.
      side: height and width of the images, which have three channels in [0, 1].
      directory: to write `tflite` to.

    Raises:
      ConfigError: there is no such network, or its weights cannot be had.
    """
    import keras  # here: it takes its second

    make = getattr(keras.applications, name, None)
    if not callable(make):
        raise ConfigError(f"keras:{name}: there is no such network in keras.applications")
    shape = (side, side, 3)
    try:
        model = make(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    except Exception as error:  # a download that fails raises a bare Exception
        raise ConfigError(f"keras:{name}: {' '.join(str(error).split())[:200]}") from error
    scaled = keras.Sequential([keras.Input(shape), keras.layers.Rescaling(2.0, -1.0), model])
    return _of_function(
        lambda images: scaled(images, training=False),
        shape,
        int(model.output_shape[1]),
        directory,
    )


def _of_function(
    function: Callable[[tf.Tensor], tf.Tensor],
    shape: tuple[int, ...],
    size: int,
    directory: str,
) -> Base:
    """Converts a function of TensorFlow for one image, as a row of pixels."""
    pixels = int(np.prod(shape))
    spec = tf.TensorSpec([1, pixels], tf.float32, name=features.IMAGE_FLOATS)

    def bottleneck(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        given = function(tf.reshape(image_floats, [1, *shape]))
        return {features.FEATURES: tf.reshape(given, [1, size])}

    # With constants for variables: TFLite's converter would leave Keras's out of the file.
    traced = tf.function(bottleneck, autograph=False).get_concrete_function(spec)
    frozen = convert_variables_to_constants_v2(traced)
    module = tf.Module()
    module.call = tf.function(
        lambda image_floats: {features.FEATURES: frozen(image_floats)[0]},
        autograph=False,
        input_signature=[spec],
    )
    source = os.path.join(directory, "source")
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, source, {litert.SIGNATURE: module.call}, options)
    converter = tf.lite.TFLiteConverter.from_saved_model(source)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        content = converter.convert()
    except (ConverterError, RuntimeError) as error:
        raise ConversionError(f"the base cannot be converted: {refusals.cause(error)}") from error
    path = os.path.join(directory, features.TFLITE_FILE)
    with open(path, "wb") as file:
        file.write(content)
    names = {name for name in flatbuffer.operators(path) if name.startswith("CUSTOM:")}
    if names:
        raise ConversionError(f"the base has operators that not all have: {sorted(names)}")
    base = Base(path, features.FEATURES, size)
    images = np.random.default_rng(0).random((2, pixels), np.float32)
    expected = [bottleneck(image[np.newaxis])[base.output].numpy()[0] for image in images]
    try:
        logit_checks.check_logits("base", np.stack(expected), base.features(images))
    except logit_checks.ExportMismatchError as error:
        raise ConversionError(f"the base does not give what its source does: {error}") from error
    return base
