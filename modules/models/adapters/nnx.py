"""Flax's NNX modules as models."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from data.task import Task
from modules.models.adapters.switches import switches
from modules.models.protocol import Logits, Variables

_PARAMS, _STATE = "params", "state"
_Make = Callable[[Task, nnx.Rngs], nnx.Module]


@dataclasses.dataclass(frozen=True)
class NnxModel:
    """See `nnx_model`.

    Variables are {"params": ..., "state": ...}, each nested dicts: of `nnx.Param`, which gradients
    change, and of all else but random state, such as batch statistics.
    """

    source: _Make

    def init(self, key: jax.Array, task: Task) -> Variables:
        """Returns fresh parameters and state."""
        return _variables(self.source(task, nnx.Rngs(key)))

    def apply(self, variables: Variables, images: jax.Array, task: Task) -> Logits:
        """Returns the logits of inference."""
        module = self._module(variables, task, jax.random.key(0))
        module.eval()
        return module(images, **switches(type(module).__call__, training=False))

    def train_apply(
        self, variables: Variables, images: jax.Array, key: jax.Array, task: Task
    ) -> tuple[Logits, Variables]:
        """Returns the logits of training, and the variables with what the module changed."""
        module = self._module(variables, task, key)
        module.train()
        logits = module(images, **switches(type(module).__call__, training=True))
        nnx.pop(module, nnx.Intermediate)
        return logits, _variables(module)

    def trainable(self, variables: Variables) -> Any:
        """Marks the parameters."""
        return {
            name: jax.tree.map(lambda _, name=name: name == _PARAMS, part)
            for name, part in variables.items()
        }

    def loops_fast_on_cpu(self, task: Task) -> bool:
        """Returns False: of a module nothing is known."""
        return False

    def _module(self, variables: Variables, task: Task, key: jax.Array) -> nnx.Module:
        """Returns the module with these variables, and random streams that begin with a key."""
        abstract = nnx.eval_shape(lambda: self.source(task, nnx.Rngs(0)))
        graph, params, random, state = nnx.split(abstract, nnx.Param, nnx.RngState, ...)
        nnx.replace_by_pure_dict(params, variables[_PARAMS])
        nnx.replace_by_pure_dict(state, variables[_STATE])
        return nnx.merge(graph, params, _begun(random, key), state)


def _variables(module: nnx.Module) -> dict[str, Mapping]:
    _, params, _, state = nnx.split(module, nnx.Param, nnx.RngState, ...)
    return {_PARAMS: nnx.to_pure_dict(params), _STATE: nnx.to_pure_dict(state)}


def _begun(random: nnx.State, key: jax.Array) -> nnx.State:
    """Returns random state whose streams are all at their beginning, each with a key of its own."""
    leaves, structure = jax.tree.flatten(random)
    begun = [
        jax.random.split(jax.random.fold_in(key, place), leaf.shape)
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        else jnp.zeros(leaf.shape, leaf.dtype)
        for place, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(structure, begun)


def nnx_model(make: _Make) -> NnxModel:
    """Makes a model of an NNX module that maps float32[B, H, W, C] to logits [B, classes].

    BatchNorm, Dropout and what else has a mode are told by `module.train()` and `module.eval()`;
    a `__call__` that takes `train`, `training`, `is_training` or `deterministic` is told, too.

    Args:
      make: returns the module for a task, with parameters drawn from the `rngs` that it is given.
    """
    return NnxModel(make)
