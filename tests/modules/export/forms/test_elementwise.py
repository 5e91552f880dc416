"""Functions in other forms: within 1e-6 of the ones that they stand for."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import special

from modules.export.forms import rules
from modules.jaxprs import rewriting

ANY = np.linspace(-9, 9, 4001).astype(np.float32)
INSIDE = np.linspace(-0.999, 0.999, 4001).astype(np.float32)
ABOVE = np.linspace(1, 90, 4001).astype(np.float32)
Function = Callable[[jax.Array], jax.Array]


def _both(function: Function) -> list[Function]:
    """The function as the SavedModel and as TFLite get it."""
    return [
        lambda x, form=form: form(lambda leaves, x: function(x))([], x)
        for form in (rules.for_tensorflow, rules.for_tflite)
    ]


def _primitives(function: Function, x: np.ndarray) -> set[str]:
    equations = rewriting.equations(jax.make_jaxpr(function)(x).jaxpr)
    return {equation.primitive.name for equation in equations}


@pytest.mark.parametrize(
    ("name", "function", "exact", "x"),
    [
        ("erf", lax.erf, special.erf, ANY),
        ("asin", jnp.arcsin, np.arcsin, INSIDE),
        ("acos", jnp.arccos, np.arccos, INSIDE),
        ("sinh", jnp.sinh, np.sinh, ANY),
        ("cosh", jnp.cosh, np.cosh, ANY),
        ("asinh", jnp.arcsinh, np.arcsinh, ANY),
        ("acosh", jnp.arccosh, np.arccosh, ABOVE),
        ("atanh", jnp.arctanh, np.arctanh, INSIDE),
    ],
)
def test_functions_that_tensorflow_cannot_read(
    name: str, function: Function, exact: Callable, x: np.ndarray
) -> None:
    assert name in _primitives(function, x)
    for form in _both(function):
        assert name not in _primitives(form, x)
        np.testing.assert_allclose(form(x), exact(x.astype(np.float64)), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "function", "exact"),
    [
        ("erfc", lax.erfc, special.erfc),
        ("cbrt", jnp.cbrt, np.cbrt),
        ("rem", lambda x: lax.rem(x, jnp.full_like(x, 1.5)), lambda x: np.fmod(x, 1.5)),
    ],
)
def test_functions_that_tflite_lacks(name: str, function: Function, exact: Callable) -> None:
    of_server, of_device = _both(function)
    assert name in _primitives(of_server, ANY)
    assert name not in _primitives(of_device, ANY)
    np.testing.assert_allclose(of_device(ANY), exact(ANY.astype(np.float64)), atol=2e-6)


def test_remainders_of_integers_stay() -> None:
    numbers = np.arange(-9, 9)
    for form in _both(lambda x: lax.rem(x, jnp.full_like(x, 4))):
        np.testing.assert_array_equal(form(numbers), np.fmod(numbers, 4))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_largest_values_and_their_places(axis: int) -> None:
    x = np.random.default_rng(0).integers(0, 5, (6, 7)).astype(np.float32)  # with ties
    for part in (0, 1):
        expected = lax.top_k(jnp.moveaxis(x, axis, -1), 3)[part]
        for form in _both(lambda x, part=part: lax.top_k(jnp.moveaxis(x, axis, -1), 3)[part]):
            np.testing.assert_array_equal(form(x), expected)


def test_softplus_without_a_choice() -> None:
    for function in (jax.nn.softplus, lambda x: jnp.logaddexp(x, 2 * x)):
        _, of_device = _both(function)
        assert "select_n" not in _primitives(of_device, ANY)
        np.testing.assert_allclose(of_device(ANY), function(ANY), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_places_outside_of_a_table(mode: str) -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    places = np.array([-7, 0, 3, 9], np.int32)
    expected = jnp.take(table, places, axis=0, mode=mode)
    for form in _both(lambda places: jnp.take(table, places, axis=0, mode=mode)):
        np.testing.assert_array_equal(form(places), expected)
