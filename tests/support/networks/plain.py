"""Models of what Flax and JAX give: only `init` and `apply`, which is what an export takes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import nnx

from data.task import Task


@dataclasses.dataclass(frozen=True)
class PlainModel:
    """A network without training."""

    init: Callable[[jax.Array, Task], Any]
    apply: Callable[[Any, jax.Array], jax.Array]


def of_linen(network: Callable[[int], nn.Module], task: Task) -> PlainModel:
    """Takes a class of modules with the attribute `num_classes`."""
    module = network(num_classes=task.num_classes)

    def init(key: jax.Array, task: Task) -> Any:
        return jax.jit(module.init)(key, jnp.zeros((1, *task.image_shape)))

    return PlainModel(init, module.apply)


def of_nnx(network: Callable[..., nnx.Module], task: Task) -> PlainModel:
    """Takes a class that is made of (image shape, classes, rngs); its state is the variables."""

    def init(key: jax.Array, task: Task) -> Any:
        return nnx.state(network(task.image_shape, task.num_classes, nnx.Rngs(key)))

    abstract = nnx.eval_shape(lambda: network(task.image_shape, task.num_classes, nnx.Rngs(0)))
    graph = nnx.graphdef(abstract)

    def apply(variables: Any, images: jax.Array) -> jax.Array:
        module = nnx.merge(graph, variables)
        module.eval()
        return module(images)

    return PlainModel(init, apply)


def drawn_variables(model: PlainModel, task: Task) -> Any:
    """Returns variables as of a trained network, without the time that `init` takes to compile.

    Kernels are drawn so that each layer keeps the spread of what it is given; scales and variances
    lie around 1, biases and means around 0.
    """
    random = np.random.default_rng(0)

    def drawn(path: tuple, leaf: jax.ShapeDtypeStruct) -> Any:
        name, shape = jax.tree_util.keystr(path), leaf.shape
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return (
                jax.random.key(0)
                if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
                else (np.zeros(shape, leaf.dtype))
            )
        if "scale" in name or "var" in name:
            return random.uniform(0.5, 1.5, shape).astype(leaf.dtype)
        deviation = 0.1 if len(shape) < 2 else float(np.prod(shape[:-1])) ** -0.5
        return random.normal(0, deviation, shape).astype(leaf.dtype)

    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), task))
    return jax.tree_util.tree_map_with_path(drawn, shapes)
