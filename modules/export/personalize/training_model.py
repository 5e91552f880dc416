"""Training steps as TFLite: signatures that keep nothing, of built-in operators alone."""

import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf
from tensorflow.lite.python.convert_phase import ConverterError

from modules import features, personal_names
from modules.export import refusals
from modules.export.graph.flatbuffer import ConversionError
from modules.personal.training_step import TrainingStep

_ADVICE = {
    "select_and_scatter_add": "the gradient of max-pooling; use average pooling or strides",
    "scatter-add": "the gradient of a gather; use one-hot vectors",
}


def convert(step: TrainingStep, batch_size: int) -> bytes:
    """Returns a TFLite file with the signatures train_step, infer and initial.

    The first takes a batch of `batch_size` features, the second those of one image.

    Raises:
      ConversionError: TFLite has no operator for something in it.
    """
    values = step.initial()
    params = {name: value for name, value in values.items() if name in step.parameter_names()}
    rows, labels = (batch_size, step.size), (batch_size, step.num_classes)
    batch = {features.FEATURES: rows, personal_names.LABELS: labels}
    one = {features.FEATURES: (1, step.size)}
    with tempfile.TemporaryDirectory() as folder:
        module = tf.Module()
        signatures = {
            personal_names.TRAIN_STEP: _signature(step.step, batch, values),
            personal_names.INFER: _signature(step.infer, one, params),
            personal_names.INITIAL: tf.function(
                lambda: {name: tf.constant(value) for name, value in values.items()}
            ).get_concrete_function(),
        }
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, list(signatures))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return converter.convert()
        except (ConverterError, RuntimeError) as error:
            raise ConversionError(_explained(error, step, batch, values)) from error


def _signature(
    function: Callable, shapes: Mapping[str, tuple[int, ...]], values: Mapping[str, np.ndarray]
) -> Any:
    """Returns a function of JAX as one of TensorFlow that takes all by name.

    Args:
      function: takes arrays of `shapes`, in their order, and the values by name.
      shapes: of float32 arrays.
      values: parameters and state.
    """
    converted = jax2tf.convert(function, with_gradient=False)

    def call(**given: tf.Tensor) -> dict[str, tf.Tensor]:
        return converted(*(given[name] for name in shapes), {name: given[name] for name in values})

    specs = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()}
    specs |= {name: tf.TensorSpec(x.shape, x.dtype, name) for name, x in values.items()}
    return tf.function(call, autograph=False).get_concrete_function(**specs)


def _explained(
    error: Exception,
    step: TrainingStep,
    batch: Mapping[str, tuple[int, ...]],
    values: Mapping[str, np.ndarray],
) -> str:
    arrays = [jax.ShapeDtypeStruct(shape, np.float32) for shape in batch.values()]
    traced = jax.make_jaxpr(step.step)(*arrays, dict(values))
    for equation in traced.jaxpr.eqns:
        if advice := _ADVICE.get(equation.primitive.name):
            return f"TFLite cannot train it: it has no operator for {advice}"
    return f"TFLite cannot train it: {refusals.explained(error, traced)}"
