"""Networks as people write them, each for the task SMALL_TASK or for any."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx

from data.task import Task
from modules.models import linen, nnx_model, pure
from modules.models.network import Network
from modules.models.protocol import Model

SMALL_TASK = Task("small", (6, 5, 3), ("ant", "bee", "cat"))


class Normalised(nn.Module):
    """BatchNorm and Dropout as in Flax's examples."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(4, (3, 3), name="block.1")(x)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.5)(x)
        x = nn.relu(x).reshape((x.shape[0], -1))
        x = nn.Dropout(0.5, deterministic=not train)(x)
        x = nn.Dropout(0.2, rng_collection="own stream", deterministic=not train)(x)
        return nn.Dense(self.num_classes, name="head/out")(x)


class Block(nnx.Module):
    """A part of `Blocks`."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(width, width, rngs=rngs)
        self.norm = nnx.BatchNorm(width, momentum=0.5, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + self.dropout(nnx.relu(self.norm(self.dense(x))))


class Blocks(nnx.Module):
    """A list of blocks, whose keys are integers."""

    def __init__(self, task: Task, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(task.num_pixels, 8, rngs=rngs)
        self.blocks = nnx.List([Block(8, rngs) for _ in range(2)])
        self.last = nnx.Linear(8, task.num_classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.first(x.reshape((x.shape[0], -1)))
        for block in self.blocks:
            x = block(x)
        return self.last(x)


class Narrow(nn.Module):
    """Computes in 16 bits, and keeps its parameters in `param_dtype`."""

    num_classes: int
    dtype: str
    param_dtype: str = "float32"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        dtypes = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        x = nn.relu(nn.Conv(4, (3, 3), **dtypes)(x)).reshape((x.shape[0], -1))
        return nn.Dense(self.num_classes, **dtypes)(x)


def _layers(key: jax.Array, task: Task) -> list:
    kernel = jax.random.normal(key, (task.num_pixels, task.num_classes)) / 10
    return [{"kernel": kernel}, {7: jnp.int32(3)}, (jnp.zeros(task.num_classes),)]


def _linear(layers: list, images: jax.Array) -> jax.Array:
    return images.reshape((images.shape[0], -1)) @ layers[0]["kernel"] + layers[2][0]


def _noisy(layers: list, images: jax.Array, key: jax.Array) -> tuple[jax.Array, list]:
    counted = [layers[0], {7: layers[1][7] + 1}, layers[2]]
    return _linear(layers, images * jax.random.bernoulli(key, 0.9, images.shape)), counted


MODELS: dict[str, Model] = {
    "linen": linen(lambda task: Normalised(task.num_classes)),
    "nnx": nnx_model(Blocks),
    "pure": pure(_layers, _linear),
    "pure with its own training": pure(_layers, _linear, _noisy),
    "bfloat16": linen(lambda task: Narrow(task.num_classes, "bfloat16")),
    "float16": linen(lambda task: Narrow(task.num_classes, "float16")),
    "bfloat16 parameters": linen(lambda task: Narrow(task.num_classes, "bfloat16", "bfloat16")),
}
RANDOM = {"linen", "nnx", "pure with its own training"}  # in training
STATE = {"linen": 2, "nnx": 4, "pure with its own training": 1}  # leaves that training changes


def network(name: str) -> Network:
    """Returns one of MODELS for SMALL_TASK."""
    return Network(MODELS[name], SMALL_TASK)
