"""Objects of a SavedModel that others call, and train further: TF Hub, Keras, TensorFlow itself.

They have the interface of https://www.tensorflow.org/hub/reusable_saved_models: callable, with
`variables`, `trainable_variables` and `regularization_losses`. Batch statistics stay as they are,
and nothing drops out: both of these belong to the training in JAX.
"""

from collections.abc import Sequence

import jax
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from jax.experimental import jax2tf

from data.task import Task
from modules import features
from modules.export.trained import Inference


class Reusable(tf.train.Checkpoint):
    """What is saved; `tf.saved_model.load` returns it with the same attributes.

    Attributes:
      variables: of the network.
      trainable_variables: those that gradients may change.
      regularization_losses: none; how the weights decay belongs to the training, too.
    """

    def __init__(
        self,
        call: tf.types.experimental.PolymorphicFunction,
        variables: list[tf.Variable],
        trainable: list[tf.Variable],
    ):
        super().__init__()
        self.__call__ = call
        self.variables = variables
        self.trainable_variables = trainable
        self.regularization_losses = []


class Builder:
    """Makes such objects of functions of JAX that share their variables."""

    def __init__(
        self, variables: Sequence[tf.Variable], tft_output: tft.TFTransformOutput, task: Task
    ):
        """Takes what is shared.

        Args:
          variables: in the order of the leaves that the functions take.
          tft_output: the graph that comes before them.
          task: whose images they take.
        """
        self._variables = variables
        self._task = task
        self.transform = tft_output.transform_features_layer()
        spec = tf.TensorSpec([None, task.num_pixels], tf.float32, name=features.IMAGE_FLOATS)

        @tf.function(autograph=False, input_signature=[spec])
        def normalize(image_floats: tf.Tensor) -> tf.Tensor:
            transformed = self.transform({features.IMAGE_FLOATS: image_floats})
            return transformed[features.IMAGE_NORMALIZED]

        self.normalize = normalize

    def reusable(
        self,
        inference: Inference,
        read: Sequence[int],
        batch_sizes: Sequence[int] = (),
        with_gradient: bool = True,
    ) -> Reusable:
        """Traces a function for raw images float32[B, num_pixels] and float32[B, H, W, C].

        Args:
          inference: to trace.
          read: the places, among the variables, of those that it takes.
          batch_sizes: to trace it for, each by itself; none for one trace that takes any.
          with_gradient: whether it can be trained; otherwise none of its variables is trainable.
        """
        variables = [self._variables[place] for place in read]
        converted = jax2tf.convert(
            inference,
            polymorphic_shapes=None if batch_sizes else [None, "(b, ...)"],
            with_gradient=with_gradient,
        )
        num_pixels = self._task.num_pixels

        @tf.function(autograph=False)
        def call(images: tf.Tensor) -> tf.Tensor:
            if images.shape.rank > 2:  # so that there is one trace of the network for both
                return call(tf.reshape(images, [-1, num_pixels]))
            return converted(variables, self.normalize(images))

        for size in batch_sizes or (None,):
            for shape in ((num_pixels,), self._task.image_shape):
                call.get_concrete_function(tf.TensorSpec([size, *shape], tf.float32))
        trainable = [variable for variable in variables if variable.trainable and with_gradient]
        return Reusable(call, variables, trainable)


def make_variables(
    leaves: Sequence[np.ndarray], described: Sequence[tuple[str, bool]]
) -> list[tf.Variable]:
    """Returns a variable for each array, with the same bits.

    Args:
      leaves: the arrays.
      described: the name of each, and whether training changes it.
    """
    return [
        tf.Variable(leaf, trainable=trainable, name=scope(name))
        for leaf, (name, trainable) in zip(leaves, described, strict=True)
    ]


def scope(name: str) -> str:
    """Returns a name as TensorFlow allows it."""
    allowed = "".join(c if c.isascii() and (c.isalnum() or c in "._/-") else "_" for c in name)
    return allowed if allowed[:1].isalnum() else f"leaf{allowed}"


def any_batch(inference: Inference, leaves: list[np.ndarray], num_pixels: int) -> Inference:
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
