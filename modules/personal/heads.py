"""Heads: what is trained on the device, on top of the features that a base gives."""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen
import jax
import jax.numpy as jnp
from flax import nnx

Params = Any  # a pytree of float32 arrays
Penalty = Callable[[Params], jax.Array]


def no_penalty(params: Params) -> jax.Array:
    """Returns 0."""
    return jnp.float32(0)


@dataclasses.dataclass(frozen=True)
class Head:
    """A head, by functions.

    Attributes:
      init: maps a key, the features of an image and the number of classes to fresh parameters.
      apply: maps parameters, features float32[B, size] and the number of classes to logits
        float32[B, classes].
      penalty: of the parameters; added to the loss, it is how the head is regularized.
    """

    init: Callable[[jax.Array, int, int], Params]
    apply: Callable[[Params, jax.Array, int], jax.Array]
    penalty: Penalty = no_penalty


def softmax_head() -> Head:
    """Returns one dense layer; its fresh parameters are zeros, so that all classes are alike."""

    def init(key: jax.Array, size: int, num_classes: int) -> Params:
        return {"kernel": jnp.zeros((size, num_classes)), "bias": jnp.zeros(num_classes)}

    return pure_head(init, lambda params, x: x @ params["kernel"] + params["bias"])


def mlp_head(hidden: int = 64, l2: float = 1e-4) -> Head:
    """Returns two dense layers with ReLU between them.

    Args:
      hidden: units of the first.
      l2: times the sum of the squares of both kernels is the penalty.
    """

    def init(key: jax.Array, size: int, num_classes: int) -> Params:
        kernel = jax.nn.initializers.he_normal()(key, (size, hidden))
        return {
            "hidden": {"kernel": kernel, "bias": jnp.zeros(hidden)},
            "output": {"kernel": jnp.zeros((hidden, num_classes)), "bias": jnp.zeros(num_classes)},
        }

    def apply(params: Params, features: jax.Array) -> jax.Array:
        first, last = params["hidden"], params["output"]
        x = jax.nn.relu(features @ first["kernel"] + first["bias"])
        return x @ last["kernel"] + last["bias"]

    return pure_head(init, apply, l2_penalty(l2))


def l2_penalty(l2: float) -> Penalty:
    """Returns `l2` times the sum of the squares of all arrays but biases and scales."""

    def penalty(params: Params) -> jax.Array:
        kernels = [leaf for leaf in jax.tree.leaves(params) if leaf.ndim > 1]
        return jnp.float32(l2) * sum(jnp.sum(jnp.square(kernel)) for kernel in kernels)

    return penalty


def pure_head(
    init: Callable[[jax.Array, int, int], Params],
    apply: Callable[[Params, jax.Array], jax.Array],
    penalty: Penalty = no_penalty,
) -> Head:
    """Makes a head of `init(key, size, num_classes)` and `apply(params, features)`."""
    return Head(init, lambda params, features, num_classes: apply(params, features), penalty)


def linen_head(make: Callable[[int], flax.linen.Module], penalty: Penalty = no_penalty) -> Head:
    """Makes a head of a Linen module that maps features float32[B, size] to logits.

    Args:
      make: returns the module for a number of classes; it has parameters alone, no other state.
      penalty: of its parameters, as Linen nests them below "params".
    """

    def init(key: jax.Array, size: int, num_classes: int) -> Params:
        return make(num_classes).init(key, jnp.zeros((1, size)))["params"]

    def apply(params: Params, features: jax.Array, num_classes: int) -> jax.Array:
        return make(num_classes).apply({"params": params}, features)

    return Head(init, apply, penalty)


def nnx_head(
    make: Callable[[int, int, nnx.Rngs], nnx.Module], penalty: Penalty = no_penalty
) -> Head:
    """Makes a head of an NNX module that maps features float32[B, size] to logits.

    Args:
      make: returns the module for the features of an image, a number of classes and `rngs`.
      penalty: of its parameters, as nested dicts.
    """

    def init(key: jax.Array, size: int, num_classes: int) -> Params:
        return nnx.to_pure_dict(nnx.state(make(size, num_classes, nnx.Rngs(key)), nnx.Param))

    def apply(params: Params, features: jax.Array, num_classes: int) -> jax.Array:
        size = features.shape[1]
        abstract = nnx.eval_shape(lambda: make(size, num_classes, nnx.Rngs(0)))
        graph, state = nnx.split(abstract, nnx.Param)
        nnx.replace_by_pure_dict(state, params)
        return nnx.merge(graph, state)(features)

    return Head(init, apply, penalty)
