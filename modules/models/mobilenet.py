"""A small network of depthwise convolutions with hard-swish, as in MobileNet."""

import jax
from flax import linen as nn

from modules.models import linen


class InvertedResidual(nn.Module):
    """Widens, looks about in each channel alone, and narrows again.

    Attributes:
      features: output channels.
      stride: of the depthwise convolution.
      widening: how many times as many channels there are in between.
    """

    features: int
    stride: int = 1
    widening: int = 3

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H/stride, W/stride, features], rounded up."""
        wide, strides = self.widening * x.shape[-1], (self.stride, self.stride)
        y = nn.Conv(wide, (1, 1), use_bias=False)(x)
        y = nn.hard_swish(nn.BatchNorm(not train, momentum=0.9)(y))
        y = nn.Conv(wide, (3, 3), strides, feature_group_count=wide, use_bias=False)(y)
        y = nn.hard_swish(nn.BatchNorm(not train, momentum=0.9)(y))
        y = nn.Conv(self.features, (1, 1), use_bias=False)(y)
        y = nn.BatchNorm(not train, momentum=0.9)(y)
        return x + y if x.shape == y.shape else y


class MobileNet(nn.Module):
    """A convolution, four inverted residuals, and the mean over all places.

    Source: Howard et al., "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244.

    Attributes:
      num_classes: length of the output's last axis.
    """

    num_classes: int

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        """Maps normalised images float32[B, H, W, C] to logits float32[B, classes]."""
        x = nn.Conv(16, (3, 3), strides=(2, 2), use_bias=False)(images)
        x = nn.hard_swish(nn.BatchNorm(not train, momentum=0.9)(x))
        for features, stride in ((16, 1), (24, 2), (24, 1), (40, 2)):
            x = InvertedResidual(features, stride)(x, train)
        x = nn.Conv(96, (1, 1), use_bias=False)(x)
        x = nn.hard_swish(nn.BatchNorm(not train, momentum=0.9)(x))
        return nn.Dense(self.num_classes)(x.mean(axis=(1, 2)))


MODEL = linen(lambda task: MobileNet(task.num_classes))
