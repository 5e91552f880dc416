"""Depthwise convolutions that train fast on a CPU, whatever a network is made of.

XLA's gradients of a depthwise convolution are slow on CPUs. Here, a function is traced, and each of
its depthwise convolutions becomes a sum of shifted products.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import primitives

from modules.jaxprs import rewriting

_MOST_TAPS = 49  # 7 by 7: larger windows are too many products


def with_fast_depthwise(function: Callable) -> Callable:
    """Returns a function that computes the same, but for rounding."""

    def fast(*arguments: Any) -> Any:
        traced, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        found = rewriting.evaluate(traced, jax.tree.leaves(arguments), _rule)
        return jax.tree.unflatten(jax.tree.structure(shape), found)

    return fast


def _rule(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    """See `rewriting.Rule`; functions that bring gradients of their own keep these."""
    if equation.primitive is primitives.jit_p:
        return rewriting.evaluate(equation.params["jaxpr"], operands, _rule)
    if equation.primitive is primitives.conv_general_dilated_p and _serves(equation):
        return [_depthwise(*operands, **equation.params)]
    return rewriting.bound(equation, operands)


def _serves(equation: rewriting.Equation) -> bool:
    """Returns whether a convolution looks at each channel of images alone, by a small window."""
    params, (inputs, kernel) = equation.params, (atom.aval for atom in equation.invars)
    channels = inputs.shape[params["dimension_numbers"].lhs_spec[1]]
    sides = params["dimension_numbers"].rhs_spec[2:]
    return (
        inputs.ndim == 4
        and params["feature_group_count"] == channels > 1
        and params["batch_group_count"] == 1
        and set(params["lhs_dilation"]) == {1}
        and kernel.shape[sides[0]] * kernel.shape[sides[1]] <= _MOST_TAPS
    )


def _depthwise(
    inputs: jax.Array,
    kernel: jax.Array,
    *,
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    rhs_dilation: Sequence[int],
    dimension_numbers: Any,
    preferred_element_type: Any = None,
    **_: Any,
) -> jax.Array:
    """Computes what `jax.lax.conv_general_dilated` does with these arguments."""
    batch, channel, *places = dimension_numbers.lhs_spec
    x = inputs.transpose(batch, *places, channel)
    out, each, *sides = dimension_numbers.rhs_spec
    weights = kernel.transpose(*sides, each, out)  # [rows, columns, 1, channels * times]
    edges = ((0, 0, 0), *((low, high, 0) for low, high in padding), (0, 0, 0))
    x = jax.lax.pad(x, jnp.zeros((), x.dtype), edges)
    reach = [(side - 1) * step for side, step in zip(weights.shape[:2], rhs_dilation, strict=True)]
    stops = [x.shape[1] - reach[0], x.shape[2] - reach[1]]
    total = 0
    for row in range(weights.shape[0]):
        for column in range(weights.shape[1]):
            down, right = row * rhs_dilation[0], column * rhs_dilation[1]
            tap = jax.lax.slice(
                x,
                (0, down, right, 0),
                (x.shape[0], down + stops[0], right + stops[1], x.shape[3]),
                (1, *window_strides, 1),
            )
            weight = weights[row, column].reshape(x.shape[3], -1)  # [channels, times]
            total += tap[..., None] * weight
    found = total.reshape(*total.shape[:3], -1).astype(preferred_element_type or total.dtype)
    batch, channel, *places = dimension_numbers.out_spec
    order = sorted(range(4), key=lambda axis: (batch, *places, channel)[axis])
    return found.transpose(order)
