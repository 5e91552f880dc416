"""Networks over patches and rows: attention, mixers and recurrence, in flax.linen."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn


def _patches(x: jax.Array, features: int) -> jax.Array:
    """Returns float32[B, 16, features]."""
    side = x.shape[1] // 4
    x = nn.Conv(features, (side, side), strides=side, padding="VALID", name="patches")(x)
    return x.reshape((len(x), -1, features))


class Attention(nn.Module):
    """Without a class token: the mean of the tokens is classified."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = _patches(x, 16)
        x += nn.MultiHeadDotProductAttention(num_heads=2)(x)
        return nn.Dense(self.num_classes)(nn.relu(nn.Dense(16)(x)).mean(axis=1))


class VisionTransformer(nn.Module):
    """A class token, learned positions, blocks of LayerNorm, attention and GELU."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = _patches(x, 16)
        token = self.param("cls", nn.initializers.normal(0.5), (1, 1, 16))
        x = jnp.concatenate([jnp.tile(token, (len(x), 1, 1)), x], axis=1)
        x += self.param("positions", nn.initializers.normal(0.5), (1, x.shape[1], 16))
        for _ in range(2):
            x += nn.MultiHeadDotProductAttention(num_heads=2)(nn.LayerNorm()(x))
            x += nn.Dense(16)(nn.gelu(nn.Dense(32)(nn.LayerNorm()(x))))
        return nn.Dense(self.num_classes)(nn.LayerNorm()(x)[:, 0])


class Rotary(nn.Module):
    """Attention with rotary positions, whose sines and cosines are constants, by einsum."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = _patches(x, 16)
        angles = np.arange(x.shape[1])[:, None] / 100 ** (np.arange(4) / 4)

        def turned(x: jax.Array) -> jax.Array:
            even, odd = x[..., 0::2], x[..., 1::2]
            sine, cosine = np.sin(angles)[:, None], np.cos(angles)[:, None]
            pair = jnp.stack([even * cosine - odd * sine, even * sine + odd * cosine], axis=-1)
            return pair.reshape(x.shape)

        query, key, value = (nn.DenseGeneral((2, 8), name=name)(x) for name in "qkv")
        scores = jnp.einsum("bqhd,bkhd->bhqk", turned(query), turned(key)) / 8**0.5
        x = jnp.einsum("bhqk,bkhd->bqhd", nn.softmax(scores), value)
        x = nn.DenseGeneral(16, axis=(-2, -1))(x)
        return nn.Dense(self.num_classes)(x.max(axis=1))


class PooledByQueries(nn.Module):
    """Learned queries look at the tokens; positions are sines, and some keys are masked."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = _patches(x, 16)
        x += np.sin(np.arange(x.shape[1])[:, None] * np.arange(1, 17) / 16)
        queries = self.param("queries", nn.initializers.normal(0.5), (4, 16))
        queries = jnp.broadcast_to(queries, (len(x), 4, 16))
        mask = np.arange(x.shape[1]) % 5 != 0
        x = nn.MultiHeadDotProductAttention(num_heads=2)(queries, x, mask=mask[None, None, None])
        return nn.Dense(self.num_classes)(x.reshape((len(x), -1)))


class Mixer(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = _patches(x, 16)
        for _ in range(2):
            tokens = nn.LayerNorm()(x).swapaxes(1, 2)
            x += nn.Dense(16)(nn.gelu(nn.Dense(8)(tokens))).swapaxes(1, 2)
            x += nn.Dense(16)(nn.gelu(nn.Dense(32)(nn.LayerNorm()(x))))
        return nn.Dense(self.num_classes)(x.mean(axis=1))


class Recurrent(nn.Module):
    """Reads the image row by row; the last state is classified."""

    num_classes: int
    cell: type = nn.OptimizedLSTMCell
    unroll: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        rows = x.reshape((len(x), x.shape[1], -1))
        rows = nn.RNN(self.cell(24), unroll=self.unroll)(rows)
        return nn.Dense(self.num_classes)(rows[:, -1])


class Bidirectional(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        rows = x.reshape((len(x), x.shape[1], -1))
        rows = nn.Bidirectional(nn.RNN(nn.GRUCell(12)), nn.RNN(nn.GRUCell(12)))(rows)
        return nn.Dense(self.num_classes)(rows.mean(axis=1))


class Embedded(nn.Module):
    """Each pixel's grey level, of eight, has a learned vector."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.avg_pool(x.mean(axis=-1, keepdims=True), (4, 4), (4, 4))[..., 0]
        levels = jnp.clip(jnp.floor(2 * x + 4), 0, 7).astype(jnp.int32)
        x = nn.Embed(8, 6)(levels)
        return nn.Dense(self.num_classes)(nn.relu(nn.Dense(32)(x.reshape((len(x), -1)))))


class ScannedBlocks(nn.Module):
    """Three blocks with stacked parameters, by nn.scan, each of them rematerialised."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(24)(x.reshape((len(x), -1)))

        class Block(nn.Module):
            @nn.compact
            def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
                return x + nn.tanh(nn.Dense(24)(x)), None

        scanned = nn.scan(
            nn.remat(Block), variable_axes={"params": 0}, split_rngs={"params": True}, length=3
        )
        x, _ = scanned()(x, None)
        return nn.Dense(self.num_classes)(x)


LINEN = {
    "attention": Attention,
    "ViT with a class token": VisionTransformer,
    "attention, rotary, einsum": Rotary,
    "attention, learned queries, mask": PooledByQueries,
    "MLP-Mixer": Mixer,
    "LSTM over rows": Recurrent,
    "simple RNN": functools.partial(Recurrent, cell=nn.SimpleCell, unroll=4),
    "GRU, both ways": Bidirectional,
    "embedded grey levels": Embedded,
    "scanned, rematerialised blocks": ScannedBlocks,
}
