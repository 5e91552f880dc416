"""The network: the CNN of Flax's MNIST tutorial."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from modules import features
from modules.models import fast_layers

_LAST_LAYER = "logits"  # `apply_flat` reads the number of classes off it
# As few as TFLite can make of this network and the two of Transform's graph.
MAX_TFLITE_OPERATORS = 10
# With `fast_on_cpu`, steps of the training may be one loop on a CPU: XLA's own convolution,
# whose gradients are many times slower inside a loop there, is not among its operations.
LOOPS_FAST_ON_CPU = True
Params = dict  # nested dict of float32 arrays, Flax's "params" collection


class CNN(nn.Module):
    """Two convolutions and two dense layers, 824,458 parameters for ten classes.

    Source: the MNIST example of https://github.com/google/flax.

    Attributes:
      num_classes: length of the output's last axis.
      fast_on_cpu: compute the convolutions in the way that trains fastest on a CPU; the parameters
        and, but for rounding, the outputs are the same.
    """

    num_classes: int = 10
    fast_on_cpu: bool = False

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Maps normalised images float32[B, 28, 28, 1] to logits float32[B, classes]."""
        x = self._conv_relu_pool(images, features=32, name="Conv_0")
        x = self._conv_relu_pool(x, features=64, name="Conv_1")
        x = x.reshape((x.shape[0], -1))
        x = nn.relu(nn.Dense(features=256)(x))
        return nn.Dense(features=self.num_classes, name=_LAST_LAYER)(x)

    def _conv_relu_pool(self, x: jax.Array, features: int, name: str) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H/2, W/2, features]."""
        if self.fast_on_cpu:
            return fast_layers.ConvReluPool(features, name=name)(x)
        x = nn.relu(nn.Conv(features, kernel_size=(3, 3), name=name)(x))
        return nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))


def init_params(key: jax.Array, num_classes: int) -> Params:
    """Returns fresh parameters for a network with `num_classes` outputs."""
    return CNN(num_classes).init(key, jnp.zeros((1, *features.IMAGE_SHAPE)))["params"]


def apply_flat(params: Params, pixels: jax.Array, fast_on_cpu: bool = False) -> jax.Array:
    """Maps normalised pixels float32[B, 784] to logits float32[B, classes].

    The number of classes is read off the parameters; this is the function that is exported, with
    `fast_on_cpu` False.
    """
    network = CNN(params[_LAST_LAYER]["bias"].shape[0], fast_on_cpu)
    return network.apply({"params": params}, pixels.reshape((-1, *features.IMAGE_SHAPE)))
