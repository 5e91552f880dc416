"""A step of a training on the device: all that it changes goes in and comes out by name."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from modules import features as image_features
from modules import personal_names as names
from modules.models.leaves import named_leaves
from modules.personal.heads import Penalty

Arrays = dict[str, Any]  # by name


@dataclasses.dataclass(frozen=True)
class TrainingStep:
    """A head with its optimizer, for a number of features and classes.

    Attributes:
      apply: maps parameters, a tree, and features float32[B, size] to logits float32[B, classes].
      penalty: of the parameters.
      optimizer: any of optax's that needs no more than gradients, state and parameters.
      params: the parameters that every client starts with, a tree of float32 arrays.
      size: features of an image.
      num_classes: outputs, those of classes that have no name yet included.
    """

    apply: Callable[[Any, jax.Array], jax.Array]
    penalty: Penalty
    optimizer: optax.GradientTransformation
    params: Any
    size: int
    num_classes: int

    def initial(self) -> dict[str, np.ndarray]:
        """Returns the parameters and the state that every client starts with, by name."""
        state = self.optimizer.init(self.params)
        both = {**_named(names.PARAMS, self.params), **_named(names.STATE, state)}
        return {name: np.asarray(value) for name, value in both.items()}

    def parameter_names(self) -> list[str]:
        """Returns the names of the parameters, in their order."""
        return list(_named(names.PARAMS, self.params))

    def infer(self, features: jax.Array, values: Mapping[str, Any]) -> Arrays:
        """Returns the logits; `values` has the parameters by name, and may have more."""
        params, _ = self._trees(values)
        return {image_features.LOGITS: self.apply(params, features)}

    def step(self, features: jax.Array, labels: jax.Array, values: Mapping[str, Any]) -> Arrays:
        """Returns the parameters and the state after a step, by name, and the loss before it.

        The loss is the cross-entropy, as a mean by the images' weights, and the penalty.
        """
        params, state = self._trees(values)

        def loss_of(params: Any) -> jax.Array:
            # No integer labels: what JAX makes of them, no runtime on devices has.
            log_probabilities = jax.nn.log_softmax(self.apply(params, features))
            cross_entropy = -jnp.sum(labels * log_probabilities) / jnp.sum(labels)
            return cross_entropy + self.penalty(params)

        loss, gradients = jax.value_and_grad(loss_of)(params)
        updates, state = self.optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        return {**_named(names.PARAMS, params), **_named(names.STATE, state), names.LOSS: loss}

    def _trees(self, values: Mapping[str, Any]) -> tuple[Any, Any]:
        """Returns parameters and state as the trees that they are; the state None if it is not."""
        state = jax.eval_shape(lambda: self.optimizer.init(self.params))
        params = jax.tree.unflatten(
            jax.tree.structure(self.params), [values[name] for name in self.parameter_names()]
        )
        state_names = list(_named(names.STATE, state))
        if not all(name in values for name in state_names):
            return params, None
        return params, jax.tree.unflatten(
            jax.tree.structure(state), [values[name] for name in state_names]
        )


def _named(prefix: str, tree: Any) -> Arrays:
    """Returns the leaves by names that are letters, digits and underscores, each once."""
    found: Arrays = {}
    for path, leaf in named_leaves(tree):
        name = prefix + "_".join(re.findall(r"[A-Za-z0-9]+", path))
        while name in found:
            name += "_"
        found[name] = leaf
    return found
