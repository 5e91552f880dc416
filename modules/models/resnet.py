"""A small residual network with batch normalisation and GELU."""

import jax
from flax import linen as nn

from modules.models import linen


class Block(nn.Module):
    """Two convolutions beside a shortcut.

    Attributes:
      features: output channels.
      stride: of the first convolution and of the shortcut.
    """

    features: int
    stride: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H/stride, W/stride, features], rounded up."""
        strides, shortcut = (self.stride, self.stride), x
        y = nn.Conv(self.features, (3, 3), strides, use_bias=False)(x)
        y = nn.gelu(nn.BatchNorm(not train, momentum=0.9)(y))
        y = nn.Conv(self.features, (3, 3), use_bias=False)(y)
        y = nn.BatchNorm(not train, momentum=0.9)(y)
        if shortcut.shape != y.shape:
            shortcut = nn.Conv(self.features, (1, 1), strides, use_bias=False)(x)
            shortcut = nn.BatchNorm(not train, momentum=0.9)(shortcut)
        return nn.gelu(y + shortcut)


class ResNet(nn.Module):
    """A convolution, three blocks, and the mean over all places.

    Source: He et al., "Deep Residual Learning for Image Recognition",
    https://arxiv.org/abs/1512.03385.

    Attributes:
      num_classes: length of the output's last axis.
    """

    num_classes: int

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        """Maps normalised images float32[B, H, W, C] to logits float32[B, classes]."""
        x = nn.Conv(16, (3, 3), use_bias=False)(images)
        x = nn.gelu(nn.BatchNorm(not train, momentum=0.9)(x))
        for features, stride in ((16, 2), (32, 2), (64, 2)):
            x = Block(features, stride)(x, train)
        return nn.Dense(self.num_classes)(x.mean(axis=(1, 2)))


MODEL = linen(lambda task: ResNet(task.num_classes))
