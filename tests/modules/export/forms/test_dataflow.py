"""Forms that depend on what a value is made of, and on what uses it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from modules.export.forms import rules
from modules.export.forms.dataflow import EXACT_GELU
from modules.jaxprs import rewriting

X = np.linspace(-4, 4, 48, dtype=np.float32).reshape(2, 24)


def _equations(function: Any) -> list[rewriting.Equation]:
    return list(rewriting.equations(jax.make_jaxpr(function)([], X).jaxpr))


@pytest.mark.parametrize("approximate", [True, False])
def test_exact_gelu_is_told_from_the_other(approximate: bool) -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        return nn.gelu(x, approximate=approximate)

    form = rules.for_tflite(function)
    tanh = [e for e in _equations(form) if e.primitive.name == "tanh"]
    assert len(tanh) == 1
    assert (EXACT_GELU in str(tanh[0].source_info.name_stack)) == (not approximate)
    np.testing.assert_allclose(form([], X), function([], X), atol=1e-3)


def test_error_function_that_is_no_gelu() -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        return 0.5 * x * lax.erfc(-x * 0.5) + lax.erfc(x)

    form = rules.for_tflite(function)
    assert not {"erfc", "tanh"} & {e.primitive.name for e in _equations(form)}
    np.testing.assert_allclose(form([], X), function([], X), atol=2e-6)


def test_constant_beside_what_depends_on_the_image() -> None:
    """A class token has to come in as many copies as there are images."""
    token = np.full((1, 3), 7, np.float32)

    def function(leaves: list, x: jax.Array) -> jax.Array:
        return jnp.concatenate([jnp.tile(token, (len(x), 1)), x, jnp.ones((len(x), 1))], axis=1)

    form = rules.for_tflite(function)
    [joined] = [e for e in _equations(form) if e.primitive.name == "concatenate"]
    made_by = {result: e for e in _equations(form) for result in e.outvars}
    assert made_by[joined.invars[0]].primitive.name == "add"
    assert made_by[joined.invars[2]].primitive.name == "add"
    np.testing.assert_array_equal(form([], X), function([], X))


@pytest.mark.parametrize(
    "function",
    [nn.celu, nn.elu, nn.selu, nn.softplus, nn.hard_tanh, lambda x: nn.relu(x) + x],
    ids=["celu", "elu", "selu", "softplus", "hard_tanh", "relu"],
)
def test_what_cuts_off_gets_a_range_of_its_own(function: Callable) -> None:
    """In integers alone, and with factors that nothing makes one of."""

    def of_leaves(leaves: list, x: jax.Array) -> jax.Array:
        return function(2 * x)

    def factors(integers: bool) -> list[float]:
        form = rules.for_tflite(of_leaves, integers)
        np.testing.assert_allclose(form([], X), function(2 * X), rtol=2e-6, atol=2e-6)
        literals = [
            float(atom.val)
            for e in _equations(form)
            for atom in e.invars
            if e.primitive.name == "mul" and hasattr(atom, "val")
        ]
        return [value for value in literals if 0.999 < value < 1]

    assert not factors(integers=False)
    assert factors(integers=True)
    assert len(set(factors(integers=True))) == len(factors(integers=True))


def test_leaky_relu_stays_one_operator() -> None:
    form = rules.for_tflite(lambda leaves, x: nn.leaky_relu(2 * x, 0.2), True)
    names = [e.primitive.name for e in _equations(form)]
    assert names.count("mul") == 2


def test_integers_know_no_infinity_and_no_sign() -> None:
    def function(leaves: list, x: jax.Array) -> jax.Array:
        return -jnp.max(x, axis=1, initial=-jnp.inf)

    names = {e.primitive.name for e in _equations(rules.for_tflite(function, True))}
    assert not {"neg", "max"} & names
    np.testing.assert_array_equal(rules.for_tflite(function, True)([], X), function([], X))
