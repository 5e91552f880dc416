"""Networks in flax.nnx, and functions of arrays in JAX alone."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from data.task import Task
from modules.models import pure


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
        pairs = itertools.pairwise(sizes)
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


_Layers = list[dict[str, jax.Array]]


def _layers(key: jax.Array, sizes: list[int]) -> _Layers:
    keys = jax.random.split(key, len(sizes))
    pairs = itertools.pairwise(sizes)
    return [
        {"w": jax.random.normal(k, (a, b)) / a**0.5, "b": jnp.zeros(b)}
        for k, (a, b) in zip(keys, pairs, strict=False)
    ]


def _dense(layer: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    return x @ layer["w"] + layer["b"]


def _flat(x: jax.Array) -> jax.Array:
    return x.reshape((len(x), -1))


def _mlp(layers: _Layers, x: jax.Array) -> jax.Array:
    x = _flat(x)
    for layer in layers[:-1]:
        x = jax.nn.relu(_dense(layer, x))
    return _dense(layers[-1], x)


def _conditional(variables: dict[str, Any], x: jax.Array) -> jax.Array:
    """A parameter chooses the branch."""
    first, last = variables["layers"]
    x = jax.lax.cond(variables["smooth"] > 0, jnp.tanh, jax.nn.relu, _dense(first, _flat(x)))
    return _dense(last, x)


def _iterated(layers: _Layers, x: jax.Array) -> jax.Array:
    first, again, last = layers
    x = _dense(first, _flat(x))
    x = jax.lax.fori_loop(0, 4, lambda _, x: jnp.tanh(_dense(again, x)), x)
    return _dense(last, x)


def _equilibrium(layers: _Layers, x: jax.Array) -> jax.Array:
    """A layer until it changes nothing any more: the data decide how often."""
    first, again, last = layers
    x = jnp.tanh(_dense(first, _flat(x)))

    def moves(state: tuple) -> jax.Array:
        step, before, now = state
        return (step < 30) & (jnp.abs(now - before).max() > 1e-7)

    def move(state: tuple) -> tuple:
        step, _, now = state
        return step + 1, now, jnp.tanh(x + 0.3 * _dense(again, now))

    _, _, x = jax.lax.while_loop(moves, move, (0, x + 1, x))
    return _dense(last, x)


def _long_loop(layers: _Layers, x: jax.Array) -> jax.Array:
    """Reads the image three numbers at a time."""
    first, again, last = layers
    steps = x.reshape((len(x), -1, 3)).swapaxes(0, 1)

    def step(state: jax.Array, numbers: jax.Array) -> tuple[jax.Array, None]:
        return jnp.tanh(_dense(again, state) + _dense(first, numbers)), None

    state, _ = jax.lax.scan(step, jnp.zeros((x.shape[0], 16)), steps)
    return _dense(last, state)


def _odd_functions(variables: dict[Any, Any], x: jax.Array) -> jax.Array:
    """Sines and other functions of fixed projections, under a dense layer."""
    projection = np.random.default_rng(0).normal(size=(x[0].size, 64)).astype(np.float32) / 16
    x = _flat(x) @ projection
    x = jnp.concatenate([jnp.sin(x), jnp.cos(x), x**2, jax.scipy.special.erf(x)], axis=1)
    return _dense(variables[0], jnp.log1p(jnp.exp(-jnp.abs(x))))


def _by_number(layers: _Layers, x: jax.Array) -> jax.Array:
    """Takes the row in the middle of each image by the image's number in the batch."""
    rows = x.reshape((len(x), x.shape[1], -1))
    return _mlp(layers, rows[jnp.arange(len(x)), jnp.full(len(x), x.shape[1] // 2)])


def _sorted(layers: _Layers, x: jax.Array) -> jax.Array:
    with jax.named_scope("ranks"):
        x = jnp.sort(_flat(x), axis=1)
    return _mlp(layers, x)


def _constant(layers: _Layers, x: jax.Array) -> jax.Array:
    """Gives every image the same logits."""
    return _dense(layers[0], 0 * _flat(x))


def _of(*sizes: int | None) -> Callable[..., _Layers]:
    """Returns an `init` of layers; None stands for all pixels, the classes come last."""

    def init(key: jax.Array, task: Task) -> _Layers:
        widths = [task.num_pixels if size is None else size for size in sizes]
        return _layers(key, [*widths, task.num_classes])

    return init


def _init_long_loop(key: jax.Array, task: Task) -> _Layers:
    return [*_layers(key, [3, 16]), *_layers(key, [16, 16, task.num_classes])]


def _init_rows(key: jax.Array, task: Task) -> _Layers:
    _, width, channels = task.image_shape
    return _layers(key, [width * channels, 24, task.num_classes])


PURE = {
    "pure JAX: MLP": pure(_of(None, 48, 32), _mlp),
    "pure JAX: lax.cond": pure(
        lambda key, task: {"layers": _of(None, 32)(key, task), "smooth": jnp.float32(1)},
        _conditional,
    ),
    "pure JAX: fori_loop": pure(_of(None, 24, 24), _iterated),
    "pure JAX: while_loop": pure(_of(None, 16, 16), _equilibrium),
    "pure JAX: scan of 256 steps": pure(_init_long_loop, _long_loop),
    "pure JAX: sin, cos, erf": pure(
        lambda key, task: {0: _of(256)(key, task)[0], 1: (jnp.arange(3),)}, _odd_functions
    ),
    "pure JAX: rows by number": pure(_init_rows, _by_number),
    "pure JAX: sort": pure(_of(None), _sorted),
    "pure JAX: constant output": pure(_of(None), _constant),
}
