"""Plain functions of parameters and images as models."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from data.task import Task
from modules.models.protocol import Logits, Variables

_Init = Callable[[jax.Array, Task], Variables]
_Apply = Callable[[Variables, jax.Array], Logits]
_TrainApply = Callable[[Variables, jax.Array, jax.Array], tuple[Logits, Variables]]


@dataclasses.dataclass(frozen=True)
class PureModel:
    """See `pure`. Gradients change every leaf of floating type."""

    make: _Init
    source: _Apply
    train: _TrainApply | None = None

    def init(self, key: jax.Array, task: Task) -> Variables:
        """Returns fresh parameters."""
        return self.make(key, task)

    def apply(self, variables: Variables, images: jax.Array, task: Task) -> Logits:
        """Returns the logits of inference."""
        return self.source(variables, images)

    def train_apply(
        self, variables: Variables, images: jax.Array, key: jax.Array, task: Task
    ) -> tuple[Logits, Variables]:
        """Returns the logits of training, which are those of inference without another function."""
        if self.train:
            return self.train(variables, images, key)
        return self.source(variables, images), variables

    def trainable(self, variables: Variables) -> Any:
        """Marks every leaf of floating type."""
        return jax.tree.map(lambda leaf: jnp.issubdtype(leaf.dtype, jnp.floating), variables)

    def loops_fast_on_cpu(self, task: Task) -> bool:
        """Returns False: of a function nothing is known."""
        return False


def pure(init: _Init, apply: _Apply, train_apply: _TrainApply | None = None) -> PureModel:
    """Makes a model of functions of `(params, images)`.

    Args:
      init: maps a key and a task to a pytree of arrays.
      apply: maps that tree and images float32[B, H, W, C] to logits [B, classes].
      train_apply: maps (params, images, key) to (logits, params), for a network with dropout, say;
        None trains with `apply`.
    """
    return PureModel(init, apply, train_apply)
