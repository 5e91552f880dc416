"""Networks of convolutions, as people write them with flax.linen."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class BatchNorm(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        for features in (8, 16):
            x = nn.Conv(features, (3, 3), use_bias=False)(x)
            x = nn.BatchNorm(use_running_average=not train)(x)
            x = nn.max_pool(nn.relu(x), (2, 2), (2, 2))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Dropout(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), strides=2)(x))
        x = nn.Dropout(0.3, deterministic=not train)(x.reshape((len(x), -1)))
        return nn.Dense(self.num_classes)(nn.relu(nn.Dense(32)(x)))


class NamesWithDots(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), strides=2, name="block.1")(x))
        x = nn.relu(nn.Dense(16, name="größe/2")(x.reshape((len(x), -1))))
        return nn.Dense(self.num_classes, name="head.weight")(x)


class LeakyRelu(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.leaky_relu(nn.Conv(8, (3, 3))(x))
        x = nn.leaky_relu(nn.Conv(8, (3, 3), strides=2)(x), 0.2)
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Resized(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        size, channels = len(x), x.shape[-1]
        x = jax.image.resize(x, (size, 8, 8, channels), "bilinear")
        x = nn.relu(nn.Conv(8, (3, 3))(x))
        x = jax.image.resize(x, (size, 12, 12, 8), "nearest")
        x = nn.avg_pool(nn.relu(nn.Conv(8, (3, 3))(x)), (4, 4), (4, 4))
        return nn.Dense(self.num_classes)(x.reshape((size, -1)))


class AveragePoolSame(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3))(x))
        x = nn.avg_pool(x, (3, 3), (2, 2), padding="SAME", count_include_pad=False)
        x = nn.avg_pool(nn.relu(nn.Conv(8, (3, 3))(x)), (3, 3), (2, 2), padding="SAME")
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class GroupNorm(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.GroupNorm(num_groups=4)(nn.Conv(16, (3, 3), strides=2)(x)))
        x = nn.relu(nn.InstanceNorm()(nn.Conv(16, (3, 3), strides=2)(x)))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Residual(nn.Module):
    """As a small ResNet, with BatchNorm and GELU."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        def norm(x: jax.Array) -> jax.Array:
            return nn.BatchNorm(use_running_average=not train)(x)

        x = nn.gelu(norm(nn.Conv(8, (3, 3))(x)))
        for features in (8, 16):
            inner = nn.gelu(norm(nn.Conv(features, (3, 3), strides=2)(x)))
            inner = norm(nn.Conv(features, (3, 3))(inner))
            x = nn.gelu(inner + nn.Conv(features, (1, 1), strides=2)(x))
        return nn.Dense(self.num_classes)(x.mean(axis=(1, 2)))


class PreActivation(nn.Module):
    """Relu before the convolutions of a residual block, whose input goes on as it is."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(12, (3, 3), strides=2)(x)
        for _ in range(2):
            x += nn.Conv(12, (3, 3))(nn.relu(nn.Conv(12, (3, 3))(nn.relu(x))))
        return nn.Dense(self.num_classes)(nn.relu(x).mean(axis=(1, 2)))


class GlobalAverage(nn.Module):
    """All convolutions; the last one has a map for each class."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(x))
        x = nn.relu(nn.Conv(16, (3, 3), strides=2, padding="VALID")(x))
        x = nn.relu(nn.Conv(24, (1, 1))(x))
        return nn.Conv(self.num_classes, (1, 1))(x).mean(axis=(1, 2))


class WideFirstLayer(nn.Module):
    """1,600 weights on one channel: TFLite's converter makes a depthwise convolution of them."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = x.mean(axis=-1, keepdims=True)
        x = nn.relu(nn.Conv(64, (5, 5))(x))
        x = nn.max_pool(x, (4, 4), (4, 4))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class MobileNet(nn.Module):
    """Depthwise separable convolutions with hard-swish, and squeeze-excite."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        def norm(x: jax.Array) -> jax.Array:
            return nn.BatchNorm(use_running_average=not train)(x)

        x = nn.hard_swish(norm(nn.Conv(8, (3, 3), strides=2)(x)))
        for features in (16, 16):
            inner = nn.hard_swish(norm(nn.Conv(24, (1, 1))(x)))
            inner = nn.Conv(24, (3, 3), feature_group_count=24)(inner)
            inner = nn.hard_swish(norm(inner))
            squeezed = inner.mean(axis=(1, 2), keepdims=True)
            excited = nn.Conv(24, (1, 1))(nn.relu(nn.Conv(6, (1, 1))(squeezed)))
            inner = norm(nn.Conv(features, (1, 1))(inner * nn.hard_sigmoid(excited)))
            x = x + inner if x.shape == inner.shape else inner
        return nn.Dense(self.num_classes)(x.mean(axis=(1, 2)))


class DepthwiseSeparable(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu6(nn.Conv(8, (3, 3))(x))
        for features in (16, 32):
            x = nn.Conv(x.shape[-1], (3, 3), strides=2, feature_group_count=x.shape[-1])(x)
            x = nn.relu6(nn.Conv(features, (1, 1))(nn.relu6(x)))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Grouped(nn.Module):
    """Grouped convolutions with a shuffle of the channels between them."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(x))
        x = nn.relu(nn.Conv(16, (3, 3), feature_group_count=4)(x))
        batch, height, width, _ = x.shape
        x = x.reshape((batch, height, width, 4, 4)).swapaxes(-1, -2).reshape(x.shape)
        x = nn.relu(nn.Conv(32, (3, 3), strides=2, feature_group_count=4)(x))
        return nn.Dense(self.num_classes)(x.reshape((batch, -1)))


class Dilated(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), kernel_dilation=2)(x))
        x = nn.relu(nn.Conv(8, (3, 3), kernel_dilation=(1, 3), padding=((1, 0), (2, 3)))(x))
        x = nn.max_pool(x, (4, 4), (4, 4))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Transposed(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), strides=4)(x))
        x = nn.relu(nn.ConvTranspose(8, (3, 3), strides=(2, 2))(x))
        x = nn.relu(nn.ConvTranspose(4, (4, 4), strides=(2, 2), padding="VALID")(x))
        return nn.Dense(self.num_classes)(nn.avg_pool(x, (4, 4), (4, 4)).reshape((len(x), -1)))


class Padded(nn.Module):
    """Paddings that no other layer has."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), padding="CIRCULAR")(x))
        x = nn.relu(nn.Conv(8, (3, 3), padding="REFLECT", strides=2)(x))
        x = nn.relu(nn.Conv(8, (3, 3), padding=((2, 0), (0, 2)))(x))
        x = jnp.pad(x, ((0, 0), (0, 1), (1, 0), (0, 0)), mode="edge")
        x = nn.max_pool(x, (3, 3), (2, 2), padding="SAME")
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


LINEN = {
    "batch norm": BatchNorm,
    "dropout": Dropout,
    "names with dots and slashes": NamesWithDots,
    "leaky relu": LeakyRelu,
    "jax.image.resize": Resized,
    "average pooling, SAME": AveragePoolSame,
    "group norm, instance norm": GroupNorm,
    "residual network, BatchNorm, GELU": Residual,
    "residual network, relu first": PreActivation,
    "global average pooling": GlobalAverage,
    "wide first layer": WideFirstLayer,
    "MobileNet, hard-swish, squeeze-excite": MobileNet,
    "depthwise separable convolutions": DepthwiseSeparable,
    "grouped convolutions, shuffled": Grouped,
    "dilated convolutions": Dilated,
    "transposed convolutions": Transposed,
    "circular, reflected, uneven padding": Padded,
}
