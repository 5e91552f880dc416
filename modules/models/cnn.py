"""The CNN of Flax's MNIST tutorial, for images of any size."""

import jax
from flax import linen as nn

from modules.models import fast_layers, linen


class CNN(nn.Module):
    """Two convolutions and two dense layers; for 28x28 and ten classes, 824,458 parameters.

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
        """Maps normalised images float32[B, H, W, C] to logits float32[B, classes]."""
        x = self._conv_relu_pool(images, features=32, name="Conv_0")
        x = self._conv_relu_pool(x, features=64, name="Conv_1")
        x = x.reshape((x.shape[0], -1))
        x = nn.relu(nn.Dense(features=256)(x))
        return nn.Dense(features=self.num_classes, name="logits")(x)

    def _conv_relu_pool(self, x: jax.Array, features: int, name: str) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H/2, W/2, features]; a side of 1 is left."""
        if self.fast_on_cpu:
            return fast_layers.ConvReluPool(features, name=name)(x)
        x = nn.relu(nn.Conv(features, kernel_size=(3, 3), name=name)(x))
        window = tuple(min(2, side) for side in x.shape[1:3])
        return nn.avg_pool(x, window_shape=window, strides=window)


def _fast(num_classes: int, image_shape: tuple[int, int, int]) -> CNN | None:
    pooled = tuple(side // 2 for side in image_shape[:2])
    serves = fast_layers.serves(image_shape[:2]) and fast_layers.serves(pooled)
    return CNN(num_classes, fast_on_cpu=True) if serves else None


MODEL = linen(
    lambda task: CNN(task.num_classes),
    fast=lambda task: _fast(task.num_classes, task.image_shape),
)
