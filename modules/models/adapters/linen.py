"""Flax's Linen modules as models."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from data.task import Task
from modules.models.adapters.switches import switches
from modules.models.protocol import Logits, Variables

_PARAMS = "params"
_Make = Callable[[Task], nn.Module]
_MakeFast = Callable[[Task], nn.Module | None]


@dataclasses.dataclass(frozen=True)
class LinenModel:
    """See `linen`. Variables are Flax's collections; gradients change "params" alone."""

    source: _Make
    fast: _MakeFast | None = None

    def init(self, key: jax.Array, task: Task) -> Variables:
        """Returns all collections, fresh."""
        module = self.source(task)
        images = jnp.zeros((1, *task.image_shape))
        return module.init(key, images, **switches(module.__call__, training=False))

    def apply(self, variables: Variables, images: jax.Array, task: Task) -> Logits:
        """Returns the logits of inference."""
        module = self.source(task)
        return module.apply(variables, images, **switches(module.__call__, training=False))

    def train_apply(
        self, variables: Variables, images: jax.Array, key: jax.Array, task: Task
    ) -> tuple[Logits, Variables]:
        """Returns the logits of training, and the variables with what the module changed."""
        fast = self._fast(task) if jax.default_backend() == "cpu" else None
        module = fast or self.source(task)
        logits, changed = module.apply(
            variables,
            images,
            rngs={_PARAMS: key},  # which Flax takes for streams of every name
            mutable=[name for name in variables if name != _PARAMS],
            **switches(module.__call__, training=True),
        )
        return logits, {**variables, **changed}

    def trainable(self, variables: Variables) -> Any:
        """Marks the collection "params"."""
        return {
            name: jax.tree.map(lambda _, name=name: name == _PARAMS, collection)
            for name, collection in variables.items()
        }

    def loops_fast_on_cpu(self, task: Task) -> bool:
        """Returns whether there is a fast module for the task."""
        return self._fast(task) is not None

    def _fast(self, task: Task) -> nn.Module | None:
        return self.fast(task) if self.fast else None


def linen(make: _Make, fast: _MakeFast | None = None) -> LinenModel:
    """Makes a model of a Linen module that maps float32[B, H, W, C] to logits [B, classes].

    Where its `__call__` takes `train`, `training`, `is_training` or `deterministic`, it is told.
    Mutable collections, such as "batch_stats", are carried from step to step, and random streams
    of any name, such as "dropout", get their keys.

    Args:
      make: returns the module for a task.
      fast: returns one with the same parameters that trains faster on CPUs, inside a loop of XLA's
        too, or None where it cannot serve.
    """
    return LinenModel(make, fast)
