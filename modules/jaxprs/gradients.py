"""Writes networks so that devices can train them: in operations whose gradients TFLite has, too."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
from jax.extend import core

from modules.jaxprs import rewriting

_SUM, _MAX = "reduce_window_sum", "reduce_window_max"


def trainable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the same function with pools as sums and maxima over axes of their windows.

    For the gradient of a pool, TFLite has slow operators or none. Of a pool whose windows overlap,
    or are padded, nothing is changed.
    """
    return rewriting.rewritten(function, _rule, _is_plain_pool)


def _rule(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    if _is_plain_pool(equation):
        return [_pooled(equation, operands[0])]
    if equation.primitive.name.startswith("custom_") and not _has_plain_pool(equation):
        return rewriting.bound(equation, operands)  # it has a gradient of its own
    return rewriting.as_it_is(equation, operands, _rule)


def _has_plain_pool(equation: rewriting.Equation) -> bool:
    inner = core.jaxprs_in_params(equation.params)
    return any(any(map(_is_plain_pool, rewriting.equations(jaxpr))) for jaxpr in inner)


def _is_plain_pool(equation: rewriting.Equation) -> bool:
    if equation.primitive.name not in (_SUM, _MAX):
        return False
    params = equation.params
    dilations = (*params["base_dilation"], *params["window_dilation"])
    return (
        params["window_strides"] == params["window_dimensions"]
        and all(tuple(pair) == (0, 0) for pair in params["padding"])
        and all(dilation == 1 for dilation in dilations)
    )


def _pooled(equation: rewriting.Equation, x: jax.Array) -> jax.Array:
    window = equation.params["window_dimensions"]
    covered = [size // length * length for size, length in zip(x.shape, window, strict=True)]
    split: list[int] = []  # each axis in two, of windows and in them
    within: list[int] = []
    for size, length in zip(covered, window, strict=True):
        split.append(size // length)
        if length > 1:
            within.append(len(split))
            split.append(length)
    reshaped = lax.slice(x, [0] * x.ndim, covered).reshape(split)
    axes = tuple(within)
    return reshaped.sum(axes) if equation.primitive.name == _SUM else reshaped.max(axes)
