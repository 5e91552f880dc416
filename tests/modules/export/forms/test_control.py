"""Loops and branches without loops and branches."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from modules.export.forms import rules
from modules.jaxprs import rewriting

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def _names(function: Any, x: np.ndarray = X) -> set[str]:
    equations = rewriting.equations(jax.make_jaxpr(function)([], x).jaxpr)
    return {equation.primitive.name for equation in equations}


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_unrolled(reverse: bool) -> None:
    scale = np.float32([1, 2, 3])

    def function(leaves: list, x: jax.Array) -> tuple:
        def step(carry: tuple, row: tuple) -> tuple:
            count, total = carry
            return (count + 1, total + jnp.tanh(row[0]) * scale), (total, row[1] * count)

        carry, rows = lax.scan(step, (1.0, jnp.zeros(3)), (x, x[:, 0]), reverse=reverse)
        return jnp.concatenate([*(part.ravel() for part in (*carry, *rows))])

    form = rules.for_tflite(function)
    assert "scan" not in _names(form)
    np.testing.assert_allclose(form([], X), function([], X), atol=1e-6)


def test_loops_in_loops() -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        return lax.fori_loop(
            0, 3, lambda i, x: lax.fori_loop(0, i + 2, lambda j, x: jnp.sin(x + j), x), x
        )

    form = rules.for_tflite(function)
    assert {"scan", "while"} & _names(form) == {"while"}  # of the inner one's length
    np.testing.assert_allclose(form([], X), function([], X), atol=1e-6)


@pytest.mark.parametrize(
    ("steps", "repeats", "stays"), [(64, 1, False), (65, 1, True), (60, 100, True)]
)
def test_long_loops_stay(steps: int, repeats: int, stays: bool) -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        def step(carry: jax.Array, row: jax.Array) -> tuple:
            for _ in range(repeats):
                carry = jnp.tanh(carry + row)
            return carry, None

        return lax.scan(step, jnp.zeros(3), x)[0]

    x = np.resize(X, (steps, 3))
    form = rules.for_tflite(function)
    assert ("scan" in _names(form, x)) == stays
    np.testing.assert_allclose(form([], x), function([], x), atol=1e-6)


@pytest.mark.parametrize("index", [-2, 0, 1, 2, 7])
def test_branches(index: int) -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        chosen = (x[0, 0] * 0).astype(jnp.int32) + index
        branches = [lambda x: (x, -x), lambda x: (2 * x, x), lambda x: (x * x, x + 1)]
        first, second = lax.switch(chosen, branches, x)
        return lax.cond(chosen > 0, jnp.add, jnp.subtract, first, second)

    form = rules.for_tflite(function)
    assert "cond" not in _names(form)
    np.testing.assert_array_equal(form([], X), function([], X))
