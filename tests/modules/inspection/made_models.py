"""Small models of other makers than the pipeline."""

from pathlib import Path

import jax
import keras
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf


def save_reusable(
    folder: Path, with_gradient: bool = True, keeps_gradient: bool = True, size: int | None = None
) -> str:
    """Saves what Keras and TF Hub fine-tune: a JAX function of a kernel and a fixed bias."""
    model = tf.train.Checkpoint()
    kernel = tf.Variable(np.ones((4, 3), np.float32), name="kernel")
    bias = tf.Variable(np.ones(3, np.float32), name="bias", trainable=False)

    def layer(kernel: jax.Array, bias: jax.Array, rows: jax.Array) -> jax.Array:
        return jax.numpy.tanh(rows @ kernel + bias)

    shapes = [None, None, "(b, ...)"] if size is None else None
    converted = jax2tf.convert(layer, polymorphic_shapes=shapes, with_gradient=with_gradient)
    spec = tf.TensorSpec([size, 4], tf.float32, name="rows")
    call = tf.function(lambda rows: converted(kernel, bias, rows), autograph=False)
    model.__call__ = tf.function(call, input_signature=[spec], autograph=False)
    model.variables, model.trainable_variables = [kernel, bias], [kernel]
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=keeps_gradient)
    tf.saved_model.save(model, str(folder), options=options)
    return str(folder)


def save_module(folder: Path, function: tf.types.experimental.GenericFunction) -> str:
    """Saves a module that is called by a function, which is its only signature, too."""
    module = tf.Module()
    module.__call__ = module.function = function
    tf.saved_model.save(module, str(folder), signatures=function)
    return str(folder)


def save_keras(folder: Path) -> str:
    """Exports a model of Keras's."""
    layers = [keras.Input((8,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    keras.Sequential(layers).export(str(folder), verbose=False)
    return str(folder)


def save_old(folder: Path) -> str:
    """Saves as TensorFlow 1 did: a graph and no objects."""
    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        rows = v1.placeholder(tf.float32, [32, 2], name="rows")
        weights = v1.get_variable("weights", [2, 5], use_resource=True)
        result = rows @ weights
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(folder), {"rows": rows}, {"result": result})
    return str(folder)


def convert_cumsum(path: Path) -> Path:
    """Converts a dense layer and what XNNPACK has no kernel for."""
    module = tf.Module()
    module.weights = tf.Variable(np.random.default_rng(0).random((64, 32), np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 64], tf.float32, name="x")])
    def sums(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.cumsum(x @ module.weights, axis=1)}

    concrete = [sums.get_concrete_function()]
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions(concrete, module).convert())
    return path
