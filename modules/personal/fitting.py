"""Trains a head before it ships, on features of labelled images, so that it starts well."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from modules.personal.heads import Penalty, no_penalty

_EPOCHS, _BATCH_SIZE, _LEARNING_RATE = 10, 100, 1e-3


def fitted(
    apply: Callable[[Any, jax.Array], jax.Array],
    params: Any,
    features: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    penalty: Penalty = no_penalty,
    seed: int = 0,
) -> Any:
    """Returns parameters after a short training by Adam.

    Args:
      apply: maps parameters and features float32[B, size] to logits float32[B, num_classes].
      params: to begin with.
      features: float32[N, size].
      labels: int64[N].
      num_classes: outputs.
      penalty: of the parameters.
      seed: of the order of the images.
    """
    optimizer = optax.adam(_LEARNING_RATE)

    @jax.jit
    def step(params: Any, state: Any, rows: jax.Array, one_hot: jax.Array) -> tuple[Any, Any]:
        def loss(params: Any) -> jax.Array:
            entropy = optax.softmax_cross_entropy(apply(params, rows), one_hot)
            return entropy.mean() + penalty(params)

        updates, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    state = optimizer.init(params)
    random = np.random.default_rng(seed)
    size = min(_BATCH_SIZE, len(features))
    for _ in range(_EPOCHS):
        order = random.permutation(len(features))
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            params, state = step(params, state, features[rows], jnp.eye(num_classes)[labels[rows]])
    return jax.device_get(params)


def as_softmax(
    last_layer: Callable[[jax.Array], jax.Array], size: int, spare: int
) -> dict[str, np.ndarray]:
    """Returns the parameters of a softmax head that computes what a network's last layer does.

    Args:
      last_layer: maps features float32[B, size] to logits; it is affine.
      size: features of an image.
      spare: outputs to add, for classes that are yet to come; they are 0 for all features.
    """
    bias = np.asarray(last_layer(jnp.zeros((1, size))))[0]
    kernel = np.asarray(last_layer(jnp.eye(size))) - bias
    # Zeros: from far below the others, a new class would take many more steps to come up.
    return {
        name: np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, spare)])
        for name, array in (("kernel", kernel), ("bias", bias))
    }
