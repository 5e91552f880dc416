"""What is exported: a network, its trained variables and the graph that comes before it."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import tensorflow_transform as tft
from jax.interpreters import partial_eval

from modules.models.leaves import named_leaves
from modules.models.network import Network
from modules.models.protocol import Logits, Variables

# Of (the leaves that it reads, normalised pixels float32[B, num_pixels]).
Inference = Callable[[Sequence[Any], jax.Array], Logits]


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained network with all that a served model needs.

    Attributes:
      network: what was trained, and the task that it is for.
      variables: any pytree of arrays.
      tft_output: the Transform graph, from raw images to the pixels that the network takes.
    """

    network: Network
    variables: Variables
    tft_output: tft.TFTransformOutput

    def inference(self) -> tuple[Inference, list[np.ndarray]]:
        """Returns the network as a function of a list of arrays, and that list.

        How the variables are nested, and by what keys, is left behind. So are those that only
        training reads, such as the keys of dropout.
        """
        leaves = jax.tree.leaves(self.variables)

        def of_read(values: Sequence[Any], pixels: jax.Array) -> Logits:
            whole = list(leaves)
            for place, value in zip(self._read, values, strict=True):
                whole[place] = value
            return self._of_all(whole, pixels)

        return of_read, [np.asarray(leaves[place]) for place in self._read]

    def described(self) -> list[tuple[str, bool]]:
        """Returns the name of each array of `inference`, and whether training changes it."""
        names = [name for name, _ in named_leaves(self.variables)]
        trainable = jax.tree.leaves(self.network.trainable(self.variables))
        return [(names[place], bool(trainable[place])) for place in self._read]

    @functools.cached_property
    def _read(self) -> list[int]:
        """The places of the leaves that inference reads."""
        pixels = jax.ShapeDtypeStruct((1, self.network.task.num_pixels), np.float32)
        closed = jax.make_jaxpr(self._of_all)(jax.tree.leaves(self.variables), pixels)
        _, is_read = partial_eval.dce_jaxpr(closed.jaxpr, [True])
        return [place for place, is_one in enumerate(is_read[:-1]) if is_one]

    def _of_all(self, leaves: Sequence[Any], pixels: jax.Array) -> Logits:
        tree = jax.tree.structure(self.variables)
        return self.network.logits(jax.tree.unflatten(tree, leaves), pixels)
