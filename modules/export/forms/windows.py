"""Convolutions and poolings in the forms that TFLite has operators for."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from modules.jaxprs.rewriting import Equation


def concerns(equation: Equation) -> bool:
    """Returns whether `form` has another form of an equation."""
    name, params = equation.primitive.name, equation.params
    if name == "conv_general_dilated":
        return any(step != 1 for step in params["lhs_dilation"])
    return name in ("reduce_window_sum", "reduce_window_max") and _is_over_rows(params)


def form(equation: Equation, operands: list[Any]) -> list[jax.Array]:
    """Returns the results of an equation that `concerns` has said yes to."""
    params = dict(equation.params)
    if equation.primitive.name == "conv_general_dilated":
        return [_convolution(equation, params, *operands)]
    for name in ("window_dimensions", "window_strides", "base_dilation", "window_dilation"):
        params[name] = (params[name][0], 1, *params[name][1:])
    params["padding"] = (params["padding"][0], (0, 0), *params["padding"][1:])
    image = operands[0][:, None]
    if equation.primitive.name == "reduce_window_sum":
        return [sum_by_convolution(params, image)[:, 0]]
    return [equation.primitive.bind(image, **params)[:, 0]]


def is_padded_sum(equation: Equation) -> bool:
    """Returns whether an equation adds up what lies in a padded window of images [B, H, W, C]."""
    params = equation.params
    if equation.primitive.name != "reduce_window_sum" or len(params["window_dimensions"]) != 4:
        return False
    is_float = jnp.issubdtype(equation.invars[0].aval.dtype, jnp.floating)
    return is_float and _is_plain(params) and any(map(any, params["padding"]))


def sum_by_convolution(params: dict[str, Any], x: jax.Array) -> jax.Array:
    """Adds up what lies in a window of [B, H, W, C]; TFLite's pools take averages without padding.

    Args:
      params: of JAX's `reduce_window_sum`.
      x: images.
    """
    channels = x.shape[-1]
    return lax.conv_general_dilated(
        x,
        np.ones((*params["window_dimensions"][1:3], 1, channels), x.dtype),
        params["window_strides"][1:3],
        params["padding"][1:3],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=channels,
    )


def _is_plain(params: dict[str, Any]) -> bool:
    """Returns whether a window lies in [B, ..., C] over all but the first and the last axis."""
    dilations = (*params["base_dilation"], *params["window_dilation"])
    window, steps = params["window_dimensions"], params["window_strides"]
    borders = (window[0], window[-1], steps[0], steps[-1])
    return set(dilations) == {1} and set(borders) == {1}


def _is_over_rows(params: dict[str, Any]) -> bool:
    """Returns whether a window has one axis only; TFLite's pools have two."""
    return len(params["window_dimensions"]) == 3 and _is_plain(params)


def _convolution(
    equation: Equation, params: dict[str, Any], x: jax.Array, kernel: jax.Array
) -> jax.Array:
    """Puts zeros between the pixels, and around them, before it convolves.

    TFLite's transposed convolution holds the size of the batch, and takes few paddings.
    """
    axes = params["dimension_numbers"].lhs_spec[2:]
    for axis, step in zip(axes, params["lhs_dilation"], strict=True):
        x = _spread(x, axis, step)
    padding = [(0, 0, 0)] * x.ndim
    for axis, (before, after) in zip(axes, params["padding"], strict=True):
        padding[axis] = (before, after, 0)
    params["lhs_dilation"] = (1,) * len(axes)
    params["padding"] = ((0, 0),) * len(axes)
    padded = lax.pad(x, jnp.zeros((), x.dtype), padding)
    return equation.primitive.bind(padded, kernel, **params)


def _spread(x: jax.Array, axis: int, step: int) -> jax.Array:
    """Puts step - 1 zeros between any two neighbours along an axis."""
    if step == 1:
        return x
    shape = x.shape
    # In three axes: XNNPACK pads at most six.
    rows = x.reshape((-1, shape[axis], int(np.prod(shape[axis + 1 :]))))
    before, count, after = rows.shape
    spread = jnp.pad(rows, ((0, 0), (0, 0), (0, (step - 1) * after)))
    spread = spread.reshape((before, count * step, after))[:, : (count - 1) * step + 1]
    return spread.reshape((*shape[:axis], -1, *shape[axis + 1 :]))
