"""Cuts a network in two: features of images, and the last layers that make logits of them.

No network says what its layers are. But what is traced of it has products and convolutions of an
array that follows from the images with one that does not, the kernel: these are its layers.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend import core
from jax.interpreters import partial_eval

from modules.jaxprs import rewriting

# Of (arrays of a network, pixels float32[B, num_pixels] or features float32[B, size]).
Function = Callable[[Sequence[Any], jax.Array], jax.Array]

_LAYERS = ("dot_general", "conv_general_dilated")
# What may stand between the last product and the logits, if one operand follows from the images.
_AFTER = {
    *("add", "sub", "add_any", "mul", "div", "neg"),
    *("convert_element_type", "copy", "reshape", "squeeze", "broadcast_in_dim"),
}
_IMAGES = 3  # of the batch that the network is looked at with: few axes of a network are as long


class CutError(ValueError):
    """A network cannot be cut there."""


class Part(NamedTuple):
    """A part of a network.

    Attributes:
      function: maps the arrays of `read`, in their order, and its input to its output.
      read: the places, among the arrays of the network, of those that it reads.
    """

    function: Function
    read: list[int]


class Cut(NamedTuple):
    """A network in two parts.

    Attributes:
      base: from pixels to features float32[B, size].
      head: from features to logits.
      size: features of an image.
    """

    base: Part
    head: Part
    size: int


def before_last_dense(network: Function, leaves: Sequence[np.ndarray], num_pixels: int) -> Cut:
    """Cuts before the last dense layer, after which the logits need little more than a bias.

    Raises:
      CutError: the network ends with something else.
    """
    return _cut(network, leaves, num_pixels, _taken_by_last_dense)


def before_last(
    network: Function, leaves: Sequence[np.ndarray], num_pixels: int, layers: int | None
) -> Cut:
    """Cuts before the last layers, whatever they are, or before all with `layers` None.

    Raises:
      CutError: there are fewer, or results from before them are needed after them.
    """

    def taken(jaxpr: core.Jaxpr) -> core.Var:
        return jaxpr.invars[-1] if layers is None else _taken_by_layer(jaxpr, layers)

    return _cut(network, leaves, num_pixels, taken)


def _cut(
    network: Function,
    leaves: Sequence[np.ndarray],
    num_pixels: int,
    place: Callable[[core.Jaxpr], core.Var],
) -> Cut:
    """Cuts at the variable that `place` finds in the equations of the network."""
    pixels = jax.ShapeDtypeStruct((_IMAGES, num_pixels), np.float32)
    base, head, features = _parts(network, leaves, pixels, place)
    shape = features.aval.shape
    if len(shape) < 2 or shape[0] != _IMAGES:
        raise CutError("its last layers do not take a row of features for each image")
    size = math.prod(shape[1:])

    def of_base(values: Sequence[Any], pixels: jax.Array) -> jax.Array:
        whole = _filled(leaves, in_base, values)
        part = _parts(network, whole, pixels, place)[0]
        (result,) = rewriting.evaluate(part, [*whole, pixels], rewriting.bound)
        return result.reshape((pixels.shape[0], size)).astype(np.float32)

    def of_head(values: Sequence[Any], features: jax.Array) -> jax.Array:
        whole = _filled(leaves, in_head, values)
        pixels = jax.ShapeDtypeStruct((features.shape[0], num_pixels), np.float32)
        _, part, variable = _parts(network, whole, pixels, place)
        taken = features.reshape(variable.aval.shape).astype(variable.aval.dtype)
        (result,) = rewriting.evaluate(part, [*whole, taken], rewriting.bound)
        return result

    in_base, in_head = _read(base.jaxpr), _read(head.jaxpr)
    return Cut(Part(of_base, in_base), Part(of_head, in_head), size)


def _filled(leaves: Sequence[Any], places: list[int], values: Sequence[Any]) -> list[Any]:
    whole = list(leaves)
    for place, value in zip(places, values, strict=True):
        whole[place] = value
    return whole


def _read(jaxpr: core.Jaxpr) -> list[int]:
    """Returns the places of the arrays, which come before its input, that a part reads."""
    _, is_read = partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return [place for place, is_one in enumerate(is_read[:-1]) if is_one]


def _parts(
    network: Function,
    leaves: Sequence[Any],
    pixels: Any,
    place: Callable[[core.Jaxpr], core.Var],
) -> tuple[core.ClosedJaxpr, core.ClosedJaxpr, core.Var]:
    """Returns the equations before and after a variable, without functions in them, and that.

    Raises:
      CutError: there is none, or what comes after it needs more than it of the images.
    """
    args = [*leaves, pixels]
    nested = jax.make_jaxpr(network)(leaves, pixels)
    closed = jax.make_jaxpr(lambda *args: rewriting.evaluate(nested, args, _inlined)[0])(*args)
    whole = closed.jaxpr
    features = place(whole)
    before, _ = partial_eval.dce_jaxpr(whole.replace(outvars=[features]), [True], instantiate=True)
    needed, equations = set(whole.outvars) - {features}, []
    for equation in reversed(whole.eqns):
        if needed.intersection(equation.outvars):
            equations.append(equation)
            inputs = (atom for atom in equation.invars if isinstance(atom, core.Var))
            needed.update(set(inputs) - {features})
    if features is not whole.invars[-1] and whole.invars[-1] in needed:
        raise CutError("what comes before its last layers is needed after them, too")
    after = core.Jaxpr(
        whole.constvars,
        [*whole.invars[:-1], features],
        whole.outvars,
        equations[::-1],
        debug_info=whole.debug_info.with_unknown_names(),
    )
    parts = (core.ClosedJaxpr(jaxpr, closed.consts) for jaxpr in (before, after))
    return *parts, features


def _taken_by_last_dense(jaxpr: core.Jaxpr) -> core.Var:
    """Goes from the logits back to the last product with a kernel, and returns its operand."""
    of_images, made_by = _following(jaxpr)
    atom = jaxpr.outvars[0]
    while _is_in(atom, made_by):
        equation = made_by[atom]
        name = equation.primitive.name
        sources = [source for source in equation.invars if _is_in(source, of_images)]
        if not sources:
            break
        if len(sources) > 1 or name not in _AFTER | {"dot_general"}:
            raise CutError(f"its logits come from the operation {_last_operation(equation)}")
        atom = sources[0]
        if name == "dot_general":
            if any(size != 1 for size in atom.aval.shape[1:-1]):
                raise CutError("its last dense layer does not take a row of features for an image")
            return atom
    raise CutError("its logits do not come from the images by a dense layer")


def _taken_by_layer(jaxpr: core.Jaxpr, number: int) -> core.Var:
    """Returns what the layer takes that has so many from it, with itself, to the end."""
    of_images, _ = _following(jaxpr)
    taken = []
    for equation in jaxpr.eqns:
        sources = [source for source in equation.invars if _is_in(source, of_images)]
        if equation.primitive.name in _LAYERS and len(sources) == 1:
            taken.append(sources[0])
    if not 1 <= number <= len(taken):
        raise CutError(f"it has {len(taken)} layers with a kernel, not {number}")
    return taken[-number]


def _following(jaxpr: core.Jaxpr) -> tuple[set[core.Var], dict[core.Var, rewriting.Equation]]:
    """Returns the variables that follow from the images, and which equation gives each."""
    of_images = {jaxpr.invars[-1]}
    made_by: dict[core.Var, rewriting.Equation] = {}
    for equation in jaxpr.eqns:
        made_by.update(dict.fromkeys(equation.outvars, equation))
        if any(_is_in(atom, of_images) for atom in equation.invars):
            of_images.update(equation.outvars)
    return of_images, made_by


def _last_operation(equation: rewriting.Equation) -> str:
    """Returns the name of an operation, or of the last one of the function that it calls."""
    for inner in core.jaxprs_in_params(equation.params):
        if inner.eqns:
            return _last_operation(inner.eqns[-1])
    return equation.primitive.name


def _inlined(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    if equation.primitive.name.startswith("custom_"):  # has a gradient of its own, which is kept
        return rewriting.bound(equation, operands)
    return rewriting.as_it_is(equation, operands, _inlined)


def _is_in(atom: Any, variables: Any) -> bool:
    return isinstance(atom, core.Var) and atom in variables
