"""Finds what a network computes before its last dense layer: the features that others build on.

No network says which of its layers is the last. But what is traced of it ends with a product of an
array that follows from the images and one that does not, the kernel, and after that with little
more than the sum with a bias.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend import core
from jax.interpreters import partial_eval

from modules.export.trained import Inference
from modules.jaxprs import rewriting

# What may stand between the last product and the logits, if one operand follows from the images.
_AFTER = {
    *("add", "sub", "add_any", "mul", "div", "neg"),
    *("convert_element_type", "copy", "reshape", "squeeze", "broadcast_in_dim"),
}
_IMAGES = 3  # of the batch that the network is looked at with: few axes of a network are as long


class NoLastLayerError(ValueError):
    """A network does not end with a dense layer."""


class Features(NamedTuple):
    """What a network computes before its last dense layer.

    Attributes:
      function: maps the arrays of `read`, in their order, and pixels float32[B, num_pixels] to
        features float32[B, size].
      read: the places, among the arrays of the network, of those that it reads.
      size: features of an image.
    """

    function: Inference
    read: list[int]
    size: int


def before_last_layer(
    inference: Inference, leaves: Sequence[np.ndarray], num_pixels: int
) -> Features:
    """Takes the last dense layer off a network.

    Args:
      inference: of the network, for a batch of any size.
      leaves: its first argument.
      num_pixels: of an image.

    Raises:
      NoLastLayerError: the network ends with something else.
    """
    pixels = jax.ShapeDtypeStruct((_IMAGES, num_pixels), np.float32)
    jaxpr = _without_last_layer(inference, leaves, pixels).jaxpr
    shape = jaxpr.outvars[0].aval.shape
    if len(shape) < 2 or shape[0] != _IMAGES or any(size != 1 for size in shape[1:-1]):
        raise NoLastLayerError("its last dense layer does not take a row of features for an image")
    _, is_read = partial_eval.dce_jaxpr(jaxpr, [True])
    read = [place for place, is_one in enumerate(is_read[:-1]) if is_one]
    size = math.prod(shape[1:])

    def function(values: Sequence[Any], pixels: jax.Array) -> jax.Array:
        whole = list(leaves)
        for place, value in zip(read, values, strict=True):
            whole[place] = value
        features = _without_last_layer(inference, whole, pixels)
        (result,) = rewriting.evaluate(features, [*whole, pixels], rewriting.bound)
        return result.reshape((pixels.shape[0], size)).astype(np.float32)

    return Features(function, read, size)


def _without_last_layer(
    inference: Inference, leaves: Sequence[Any], pixels: Any
) -> core.ClosedJaxpr:
    """Returns the equations, without functions in them, up to what the last layer takes.

    Raises:
      NoLastLayerError: there is none.
    """
    args = [*leaves, pixels]
    nested = jax.make_jaxpr(inference)(leaves, pixels)
    closed = jax.make_jaxpr(lambda *args: rewriting.evaluate(nested, args, _inlined)[0])(*args)
    found = _taken_by_last_layer(closed.jaxpr)
    jaxpr, _ = partial_eval.dce_jaxpr(
        closed.jaxpr.replace(outvars=[found]), [True], instantiate=True
    )
    return core.ClosedJaxpr(jaxpr, closed.consts)


def _taken_by_last_layer(jaxpr: core.Jaxpr) -> core.Var:
    """Goes from the logits back to the last product with a kernel, and returns its operand."""
    of_images = {jaxpr.invars[-1]}
    made_by: dict[core.Var, rewriting.Equation] = {}
    for equation in jaxpr.eqns:
        made_by.update(dict.fromkeys(equation.outvars, equation))
        if any(_is_in(atom, of_images) for atom in equation.invars):
            of_images.update(equation.outvars)
    atom = jaxpr.outvars[0]
    while _is_in(atom, made_by):
        equation = made_by[atom]
        name = equation.primitive.name
        sources = [source for source in equation.invars if _is_in(source, of_images)]
        if not sources:
            break
        if len(sources) > 1 or name not in _AFTER | {"dot_general"}:
            raise NoLastLayerError(f"its logits come from the operation {name}")
        atom = sources[0]
        if name == "dot_general":
            return atom
    raise NoLastLayerError("its logits do not come from the images by a dense layer")


def _inlined(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    return rewriting.as_it_is(equation, operands, _inlined)


def _is_in(atom: Any, variables: Any) -> bool:
    return isinstance(atom, core.Var) and atom in variables
