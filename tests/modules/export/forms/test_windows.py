"""Convolutions and poolings in other forms."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from modules.export.forms import rules
from modules.jaxprs import rewriting

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 7, 6, 3)).astype(np.float32)
ROWS = RANDOM.normal(size=(2, 11, 3)).astype(np.float32)


def _equations(function: Any, x: np.ndarray) -> list[rewriting.Equation]:
    return list(rewriting.equations(jax.make_jaxpr(function)([], x).jaxpr))


@pytest.mark.parametrize("steps", [(2, 2), (1, 3), (4, 1)])
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((2, 0), (1, 3))])
def test_transposed_convolution(steps: tuple[int, int], padding: Any) -> None:
    kernel = RANDOM.normal(size=(3, 4, 3, 5)).astype(np.float32)

    def function(leaves: list, x: jax.Array) -> jax.Array:
        if isinstance(padding, str):
            return lax.conv_transpose(x, kernel, steps, padding)
        return lax.conv_general_dilated(
            x, kernel, (1, 1), padding, steps, (2, 1), ("NHWC", "HWIO", "NHWC")
        )

    form = rules.for_tflite(function)
    convolutions = [e for e in _equations(form, IMAGES) if "lhs_dilation" in e.params]
    assert [e.params["lhs_dilation"] for e in convolutions] == [(1, 1)]
    np.testing.assert_allclose(form([], IMAGES), function([], IMAGES), atol=1e-5)


def test_transposed_convolution_of_rows_and_of_channels_first() -> None:
    kernel = RANDOM.normal(size=(4, 3, 5)).astype(np.float32)
    for layout, x in (("NWC", ROWS), ("NCW", ROWS.swapaxes(1, 2))):

        def function(leaves: list, x: jax.Array, layout: str = layout) -> jax.Array:
            return lax.conv_general_dilated(
                x, kernel, (1,), ((3, 3),), (3,), dimension_numbers=(layout, "WIO", layout)
            )

        np.testing.assert_allclose(
            rules.for_tflite(function)([], x), function([], x), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("padding", ["SAME", ((1, 1), (2, 0))])
@pytest.mark.parametrize("counted", [True, False])
def test_padded_average(padding: Any, counted: bool) -> None:
    """TFLite's own pool averages what the window holds; the others become convolutions."""

    def function(leaves: list, x: jax.Array) -> jax.Array:
        return nn.avg_pool(x, (3, 2), (2, 2), padding, count_include_pad=counted)

    form = rules.for_tflite(function)
    names = [e.primitive.name for e in _equations(form, IMAGES)]
    assert ("conv_general_dilated" in names) == counted
    np.testing.assert_allclose(form([], IMAGES), function([], IMAGES), atol=1e-6)


def test_average_without_padding_stays() -> None:
    form = rules.for_tflite(lambda leaves, x: nn.avg_pool(x, (2, 2), (2, 2)))
    assert [e.primitive.name for e in _equations(form, IMAGES)] == ["reduce_window_sum", "div"]


@pytest.mark.parametrize("pool", [nn.avg_pool, nn.max_pool])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_pools_of_rows(pool: Any, padding: str) -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        return pool(x, (3,), (2,), padding)

    form = rules.for_tflite(function)
    windows = [e for e in _equations(form, ROWS) if "window_dimensions" in e.params]
    assert all(len(e.params["window_dimensions"]) == 4 for e in windows)
    np.testing.assert_allclose(form([], ROWS), function([], ROWS), atol=1e-6)


def test_windows_over_channels_stay() -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        total = lax.reduce_window(x * x, 0.0, lax.add, (1, 1, 1, 3), (1, 1, 1, 1), "SAME")
        return x / jnp.sqrt(1 + total)

    form = rules.for_tflite(function)
    assert "conv_general_dilated" not in [e.primitive.name for e in _equations(form, IMAGES)]
    np.testing.assert_allclose(form([], IMAGES), function([], IMAGES), atol=1e-6)
