"""Networks that compute in 16 bits, computed in float32."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from modules.jaxprs import rewriting
from modules.jaxprs.widening import wide, widened

IMAGES = np.random.default_rng(0).normal(size=(3, 8, 8, 2)).astype(np.float32)
narrow = pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])


class Network(nn.Module):
    """Layers of all kinds, which take the type that they compute in."""

    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(8, (3, 3), dtype=self.dtype)(x))
        x = nn.max_pool(nn.GroupNorm(2, dtype=self.dtype)(x), (2, 2), (2, 2))
        x = nn.gelu(x.reshape((len(x), -1, 8)))
        x += nn.MultiHeadDotProductAttention(2, dtype=self.dtype)(x)
        x = nn.RNN(nn.GRUCell(6, dtype=self.dtype))(x)[:, -1]
        return nn.Dense(4, dtype=self.dtype)(x)


@narrow
def test_network_is_computed_as_in_float32(dtype: Any) -> None:
    variables = Network(jnp.float32).init(jax.random.key(0), IMAGES)
    expected = Network(jnp.float32).apply(variables, IMAGES)
    narrow_network = Network(dtype)
    assert narrow_network.apply(variables, IMAGES).dtype == dtype
    wide_apply = widened(narrow_network.apply)
    closed = jax.make_jaxpr(wide_apply)(variables, IMAGES)
    types = {
        atom.aval.dtype
        for equation in rewriting.equations(closed.jaxpr)
        for atom in (*equation.invars, *equation.outvars)
    }
    assert dtype not in types
    np.testing.assert_allclose(
        wide_apply(variables, IMAGES), expected, atol=1e-3
    )  # constants of GELU


@narrow
def test_parameters_in_16_bits_are_taken_as_they_are(dtype: Any) -> None:
    kernel = jnp.asarray([[1 / 3], [2 / 3]], dtype)
    found = widened(lambda kernel, x: x.astype(dtype) @ kernel)(kernel, np.full((1, 2), 1e-3))
    assert found.dtype == jnp.float32
    expected = np.full((1, 2), 1e-3, np.float32) @ np.asarray(kernel, np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@narrow
def test_constants_and_literals(dtype: Any) -> None:
    """A carry that begins with a literal, a constant of the function, a precision of its own."""
    constant = jnp.asarray(0.1, dtype)

    def function(x: jax.Array) -> jax.Array:
        total, _ = lax.scan(lambda c, row: (c + row, None), dtype(0), x.astype(dtype))
        info = jnp.finfo(dtype)
        return lax.reduce_precision(total.astype(jnp.float32), info.nexp, info.nmant) * constant

    x = np.full(1000, 0.3, np.float32)
    expected = 300 * np.asarray(constant, np.float32)
    np.testing.assert_allclose(widened(function)(x), expected, rtol=1e-4)


def test_function_of_float32_is_called_as_it_is() -> None:
    calls = []
    widened(lambda x: calls.append(x) or x * 2)(IMAGES)
    assert calls[-1] is IMAGES


def test_wide_arrays_stay_what_they_are() -> None:
    key = jax.random.key(0)
    assert wide(key) is key
    assert wide(IMAGES) is IMAGES
    assert wide(np.arange(3)).dtype == np.int64
    assert wide(jnp.ones(3, jnp.bfloat16)).dtype == jnp.float32
