"""Networks in flax.nnx, and functions of arrays in JAX alone."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from data.task import Task
from tests.support.networks.plain import PlainModel


class Block(nnx.Module):
    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(inputs, outputs, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(outputs, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.dropout(nnx.relu(self.norm(self.conv(x))))


class ListOfBlocks(nnx.Module):
    """With int keys in its state, running statistics and the keys of Dropout."""

    def __init__(self, shape: tuple[int, int, int], num_classes: int, rngs: nnx.Rngs):
        sizes = (shape[-1], 8, 16)
        pairs = zip(sizes, sizes[1:], strict=False)
        self.blocks = nnx.List([Block(*pair, rngs=rngs) for pair in pairs])
        self.head = nnx.Linear(16, num_classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(axis=(1, 2)))


class Transformer(nnx.Module):
    def __init__(self, shape: tuple[int, int, int], num_classes: int, rngs: nnx.Rngs):
        self.embed = nnx.Linear(shape[1] * shape[2], 16, rngs=rngs)
        self.norm = nnx.LayerNorm(16, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(2, 16, decode=False, rngs=rngs)
        self.head = nnx.Linear(16, num_classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.embed(x.reshape((len(x), x.shape[1], -1)))
        x += self.attention(self.norm(x))
        return self.head(nnx.silu(x).mean(axis=1))


NNX = {
    "NNX: blocks in a list, BatchNorm, Dropout": ListOfBlocks,
    "NNX: attention over rows": Transformer,
}


def _layers(key: jax.Array, sizes: list[int]) -> list[dict[str, jax.Array]]:
    keys = jax.random.split(key, len(sizes))
    return [
        {"w": jax.random.normal(k, (a, b)) / a**0.5, "b": jnp.zeros(b)}
        for k, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]


def _dense(layer: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    return x @ layer["w"] + layer["b"]


def mlp(task: Task) -> PlainModel:
    """A list of layers, as in JAX's own examples."""

    def apply(layers: Any, x: jax.Array) -> jax.Array:
        x = x.reshape((len(x), -1))
        for layer in layers[:-1]:
            x = jax.nn.relu(_dense(layer, x))
        return _dense(layers[-1], x)

    sizes = [task.num_pixels, 48, 32, task.num_classes]
    return PlainModel(lambda key, task: _layers(key, sizes), apply)


def conditional(task: Task) -> PlainModel:
    """A branch that a parameter chooses."""

    def apply(variables: Any, x: jax.Array) -> jax.Array:
        first, last = variables["layers"]
        x = _dense(first, x.reshape((len(x), -1)))
        x = jax.lax.cond(variables["smooth"] > 0, jnp.tanh, jax.nn.relu, x)
        return _dense(last, x)

    def init(key: jax.Array, task: Task) -> Any:
        layers = _layers(key, [task.num_pixels, 32, task.num_classes])
        return {"layers": layers, "smooth": jnp.float32(1)}

    return PlainModel(init, apply)


def iterated(task: Task) -> PlainModel:
    """A layer four times, in `fori_loop`."""

    def apply(layers: Any, x: jax.Array) -> jax.Array:
        first, again, last = layers
        x = _dense(first, x.reshape((len(x), -1)))
        x = jax.lax.fori_loop(0, 4, lambda _, x: jnp.tanh(_dense(again, x)), x)
        return _dense(last, x)

    sizes = [task.num_pixels, 24, 24, task.num_classes]
    return PlainModel(lambda key, task: _layers(key, sizes), apply)


def equilibrium(task: Task) -> PlainModel:
    """A layer until it changes nothing any more: `while_loop` with an end that data decide."""

    def apply(layers: Any, x: jax.Array) -> jax.Array:
        first, again, last = layers
        x = jnp.tanh(_dense(first, x.reshape((len(x), -1))))

        def moves(state: tuple) -> jax.Array:
            step, before, now = state
            return (step < 30) & (jnp.abs(now - before).max() > 1e-7)

        def move(state: tuple) -> tuple:
            step, _, now = state
            return step + 1, now, jnp.tanh(x + 0.3 * _dense(again, now))

        _, _, x = jax.lax.while_loop(moves, move, (0, x + 1, x))
        return _dense(last, x)

    sizes = [task.num_pixels, 16, 16, task.num_classes]
    return PlainModel(lambda key, task: _layers(key, sizes), apply)


def random_features(task: Task) -> PlainModel:
    """Sines of fixed random projections, under a dense layer; int and tuple keys in the tree."""
    projection = jax.random.normal(jax.random.key(5), (task.num_pixels, 64)) / 16

    def apply(variables: Any, x: jax.Array) -> jax.Array:
        x = x.reshape((len(x), -1)) @ projection
        x = jnp.concatenate([jnp.sin(x), jnp.cos(x), x**2, jnp.cumsum(x, axis=1)], axis=1)
        return _dense(variables[0], jnp.log1p(jnp.exp(-jnp.abs(x))))

    def init(key: jax.Array, task: Task) -> Any:
        return {0: _layers(key, [256, task.num_classes])[0], 1: (jnp.arange(3),)}

    return PlainModel(init, apply)


PURE = {
    "pure JAX: MLP": mlp,
    "pure JAX: lax.cond": conditional,
    "pure JAX: fori_loop": iterated,
    "pure JAX: while_loop": equilibrium,
    "pure JAX: random features": random_features,
}
