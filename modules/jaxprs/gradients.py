"""Writes networks so that devices can train them: in operations whose gradients TFLite has, too.

And has fast: XNNPACK takes no convolution whose kernel is computed, and TFLite's own kernels are
slow at these, and at BROADCAST_TO.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core

from modules.jaxprs import rewriting

_SUM, _MAX, _CONVOLUTION = "reduce_window_sum", "reduce_window_max", "conv_general_dilated"
_MAX_KERNEL = 25  # pixels: as many times as large as the images are their patches
# Axes of images, kernels and results: NHWC, HWIO and NHWC.
_AXES = lax.ConvDimensionNumbers((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
_Padding = tuple[tuple[int, int], tuple[int, int]]  # of rows and columns


def trainable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the same function with pools and convolutions written otherwise.

    Pools are sums and maxima over axes of their windows: for the gradient of a pool, TFLite has
    slow operators or none. Of a pool whose windows overlap, or are padded, nothing is changed.

    Convolutions of more than one channel with a small kernel, without strides, dilations or groups,
    are products of matrices, and so are their gradients.
    """
    return rewriting.rewritten(
        function, _rule, lambda equation: _is_plain_pool(equation) or _is_plain_conv(equation)
    )


def _rule(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    if _is_plain_pool(equation):
        return [_pooled(equation, operands[0])]
    if _is_plain_conv(equation):
        return [_convolved(*operands, tuple(map(tuple, equation.params["padding"])))]
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


def _is_plain_conv(equation: rewriting.Equation) -> bool:
    if equation.primitive.name != _CONVOLUTION:
        return False
    params, (images, kernel) = equation.params, (each.aval for each in equation.invars)
    if params["dimension_numbers"] != _AXES or {images.dtype, kernel.dtype} != {
        jnp.dtype("float32")
    }:
        return False
    height, width, channels, _ = kernel.shape
    steps = (*params["window_strides"], *params["lhs_dilation"], *params["rhs_dilation"])
    counts = (*steps, params["feature_group_count"], params["batch_group_count"])
    sides = zip((height, width), params["padding"], strict=True)
    return (
        channels > 1
        and height * width <= _MAX_KERNEL
        and all(count == 1 for count in counts)
        and all(0 <= pad < side for side, pair in sides for pad in pair)
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolved(images: jax.Array, kernel: jax.Array, padding: _Padding) -> jax.Array:
    """Maps float32[N, H, W, C] and a kernel float32[K, L, C, F] to float32[N, H', W', F]."""
    return _convolved_forward(images, kernel, padding)[0]


def _convolved_forward(
    images: jax.Array, kernel: jax.Array, padding: _Padding
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    rows, pixels = _patches(images, kernel.shape[:2], padding)
    results = rows @ kernel.reshape(rows.shape[1], -1)
    return results.reshape(*pixels, -1), (rows, kernel)


def _convolved_backward(
    padding: _Padding, residuals: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    rows, kernel = residuals
    of_kernel = rows.T @ gradient.reshape(len(rows), -1)
    turned = lax.rev(kernel, (0, 1)).swapaxes(2, 3)
    sides = zip(kernel.shape, padding, strict=False)
    opposite = tuple((side - 1 - low, side - 1 - high) for side, (low, high) in sides)
    return _convolved(gradient, turned, opposite), of_kernel.reshape(kernel.shape)


_convolved.defvjp(_convolved_forward, _convolved_backward)


def _patches(
    images: jax.Array, sides: Sequence[int], padding: _Padding
) -> tuple[jax.Array, tuple[int, int, int]]:
    """Returns what a kernel sees at each pixel: float32[N * H' * W', K * L * C]; and N, H', W'."""
    padded = jnp.pad(images, ((0, 0), *padding, (0, 0)))
    height, width = (padded.shape[1 + i] - sides[i] + 1 for i in range(2))
    seen = [
        padded[:, row : row + height, column : column + width].reshape(-1, images.shape[-1])
        for row in range(sides[0])
        for column in range(sides[1])
    ]
    # As rows from here: of images, TFLite would make a product for each row of pixels.
    return jnp.concatenate(seen, axis=1), (len(images), height, width)


def _pooled(equation: rewriting.Equation, x: jax.Array) -> jax.Array:
    window = tuple(equation.params["window_dimensions"])
    covered = [size // length * length for size, length in zip(x.shape, window, strict=True)]
    pool = _summed if equation.primitive.name == _SUM else _maximum
    return pool(lax.slice(x, [0] * x.ndim, covered), window)


def _reduced(x: jax.Array, window: Sequence[int], reduce: Callable[..., jax.Array]) -> jax.Array:
    """Returns the sum or the maximum of each window; the windows cover x."""
    split: list[int] = []  # each axis in two, of windows and in them
    within: list[int] = []
    for size, length in zip(x.shape, window, strict=True):
        split.append(size // length)
        if length > 1:
            within.append(len(split))
            split.append(length)
    return reduce(x.reshape(split), tuple(within))


def _repeated(x: jax.Array, window: Sequence[int]) -> jax.Array:
    """Returns x with each element for a whole window."""
    shape = list(x.shape)
    for axis, length in enumerate(window):
        if length > 1:
            rows = x.reshape(math.prod(shape[: axis + 1]), -1)
            shape[axis] *= length
            x = jnp.concatenate([rows] * length, axis=1).reshape(shape)
    return x


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _summed(x: jax.Array, window: tuple[int, ...]) -> jax.Array:
    return _reduced(x, window, jnp.sum)


_summed.defvjp(
    lambda x, window: (_summed(x, window), None),
    lambda window, _, gradient: (_repeated(gradient, window),),
)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _maximum(x: jax.Array, window: tuple[int, ...]) -> jax.Array:
    return _reduced(x, window, jnp.max)


def _maximum_forward(x: jax.Array, window: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    highest = _maximum(x, window)
    return highest, (x == _repeated(highest, window)).astype(x.dtype)


def _maximum_backward(
    window: tuple[int, ...], is_highest: jax.Array, gradient: jax.Array
) -> tuple[jax.Array]:
    shared = gradient / _reduced(is_highest, window, jnp.sum)  # by all that are the highest
    return (is_highest * _repeated(shared, window),)


_maximum.defvjp(_maximum_forward, _maximum_backward)
