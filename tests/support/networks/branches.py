"""Networks with branches, odd activations, norms and types, as people write them in flax.linen."""

import functools

import jax
import jax.numpy as jnp
from flax import linen as nn


class SqueezeExcite(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(x))
        gate = nn.sigmoid(nn.Dense(16)(nn.relu(nn.Dense(4)(x.mean(axis=(1, 2))))))
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(x * gate[:, None, None]))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class DenseNet(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(8, (3, 3), strides=2)(x)
        for _ in range(3):
            new = nn.relu(nn.BatchNorm(use_running_average=not train)(x))
            x = jnp.concatenate([x, nn.Conv(8, (3, 3))(new)], axis=-1)
        x = nn.avg_pool(nn.relu(x), (2, 2), (2, 2))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Inception(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        branches = [
            nn.Conv(8, (1, 1))(x),
            nn.Conv(8, (3, 3))(nn.relu(nn.Conv(4, (1, 1))(x))),
            nn.Conv(8, (1, 5))(x),
            nn.Conv(4, (1, 1))(nn.max_pool(x, (3, 3), padding="SAME")),
        ]
        x = nn.max_pool(nn.relu(jnp.concatenate(branches, axis=-1)), (2, 2), (2, 2))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Maxout(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(16, (3, 3), strides=2)(x)
        x = x.reshape((*x.shape[:-1], 8, 2)).max(axis=-1)
        x = jnp.maximum(nn.Dense(16, name="a")(x), nn.Dense(16, name="b")(x))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class OnePooledConvolution(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.max_pool(nn.relu(nn.Conv(16, (5, 5))(x)), (4, 4), (4, 4))
        return nn.Dense(self.num_classes, name="out")(x.reshape((len(x), -1)))


class Activations(nn.Module):
    """One after the other, with the layers in between that keep them apart."""

    num_classes: int
    functions: tuple = ()

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(8, (3, 3), strides=2)(x)
        for function in self.functions:
            x = nn.Conv(8, (1, 1))(function(x))
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


def mish(x: jax.Array) -> jax.Array:
    return x * jnp.tanh(nn.softplus(x))


_SMOOTH = (nn.silu, nn.softplus, nn.tanh, nn.soft_sign, mish, nn.log_sigmoid)
_PIECEWISE = (nn.elu, nn.selu, nn.celu, nn.relu6, nn.hard_tanh, nn.hard_silu, nn.PReLU())


class Gelu(nn.Module):
    """The exact one, with the error function."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.gelu(nn.Conv(8, (3, 3), strides=2)(x), approximate=False)
        x = nn.gelu(nn.Dense(32)(x.reshape((len(x), -1))), approximate=False)
        return nn.Dense(self.num_classes)(x)


class Norms(nn.Module):
    """A norm before each dense layer."""

    num_classes: int
    norm: type = nn.LayerNorm

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(x))
        x = nn.relu(nn.Dense(48)(self.norm()(x.reshape((len(x), -1)))))
        return nn.Dense(self.num_classes)(self.norm()(x))


class ConvNeXt(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.LayerNorm()(nn.Conv(16, (4, 4), strides=4, padding="VALID")(x))
        for block in range(2):
            inner = nn.LayerNorm()(nn.Conv(16, (7, 7), feature_group_count=16)(x))
            inner = nn.Dense(16)(nn.gelu(nn.Dense(32)(inner), approximate=False))
            scale = self.param(f"scale_{block}", nn.initializers.constant(0.1), (16,))
            x = x + scale * inner
        return nn.Dense(self.num_classes)(nn.LayerNorm()(x.mean(axis=(1, 2))))


class NormalizedWeights(nn.Module):
    """Layers whose kernels are computed from the parameters."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", nn.initializers.he_normal(), (3, 3, x.shape[-1], 16))
        kernel = (kernel - kernel.mean((0, 1, 2))) / (kernel.std((0, 1, 2)) + 1e-5)
        x = jax.lax.conv_general_dilated(
            x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = nn.relu(x).reshape((len(x), -1))
        return nn.WeightNorm(nn.Dense(self.num_classes))(x)


class SharedWeights(nn.Module):
    """One convolution three times, and a head that uses the kernel of a layer before it."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), strides=2)(x))
        again = nn.Conv(16, (3, 3))
        for _ in range(3):
            x = nn.relu(again(x))
        x = x.mean(axis=(1, 2))
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (16, 16))
        x = nn.tanh(x @ kernel) @ kernel.T
        return nn.Dense(self.num_classes)(x)


class ManySmallOperators(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), strides=4)(x)).reshape((len(x), -1))
        parts = jnp.split(x, 16, axis=1)
        parts = [nn.tanh(nn.Dense(4)(part)) * (0.5 + number) for number, part in enumerate(parts)]
        return nn.Dense(self.num_classes)(jnp.concatenate(parts, axis=1))


class Narrow(nn.Module):
    """Computes, or keeps its parameters, in 16 bits."""

    num_classes: int
    dtype: jnp.dtype | None = None
    param_dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        types = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        x = nn.relu(nn.Conv(8, (3, 3), strides=2, **types)(x))
        x = nn.avg_pool(x, (2, 2), (2, 2))
        tokens = x.reshape((len(x), -1, 8))
        tokens += nn.MultiHeadDotProductAttention(2, **types)(nn.LayerNorm(**types)(tokens))
        x = nn.Dense(self.num_classes, **types)(tokens.reshape((len(x), -1)))
        return x.astype(jnp.float32)


LINEN = {
    "squeeze-excite": SqueezeExcite,
    "dense connections": DenseNet,
    "inception branches": Inception,
    "maxout": Maxout,
    "one convolution and max pool": OnePooledConvolution,
    "smooth activations": functools.partial(Activations, functions=_SMOOTH),
    "piecewise activations": functools.partial(Activations, functions=_PIECEWISE),
    "exact GELU": Gelu,
    "layer norm": Norms,
    "RMS norm": functools.partial(Norms, norm=nn.RMSNorm),
    "ConvNeXt": ConvNeXt,
    "normalised weights": NormalizedWeights,
    "shared weights": SharedWeights,
    "many small operators": ManySmallOperators,
    "bfloat16 computation": functools.partial(Narrow, dtype=jnp.bfloat16),
    "float16 computation": functools.partial(Narrow, dtype=jnp.float16),
    "bfloat16 parameters": functools.partial(Narrow, param_dtype=jnp.bfloat16),
}
