"""Functions evaluated once more, with some of their primitives replaced."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from modules.jaxprs import rewriting

X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)


def _cosines_for_sines(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    if equation.primitive.name == "sin":
        return [jnp.cos(operands[0])]
    return rewriting.as_it_is(equation, operands, _cosines_for_sines)


def _has_sines(equation: rewriting.Equation) -> bool:
    return equation.primitive.name == "sin"


@jax.custom_jvp
def _own_derivative(x: jax.Array) -> jax.Array:
    return jnp.sin(x)


_own_derivative.defjvp(lambda x, dx: (jnp.sin(x[0]), dx[0]))


@jax.custom_vjp
def _own_gradient(x: jax.Array) -> jax.Array:
    return jnp.sin(x)


_own_gradient.defvjp(lambda x: (jnp.sin(x), None), lambda _, g: (g,))


def _nested(x: jax.Array, wave: Callable[[jax.Array], jax.Array]) -> dict[str, jax.Array]:
    """The wave in every kind of inner function, with results of several shapes."""

    def step(carry: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
        return carry + wave(row), wave(carry)

    last, rows = lax.scan(step, jnp.zeros(3), x, reverse=True)
    return {
        "jit": jax.jit(lambda x: jax.jit(wave)(x) + 1)(x),
        "remat": jax.checkpoint(wave)(x),
        "scan": (last, rows),
        "while": lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, wave(s[1])), (0, x)),
        "condition": lax.while_loop(lambda s: (s < 9) & (wave(s) > 0), lambda s: s + 1, 1.0),
        "cond": lax.cond(x[0, 0] > 0, wave, lambda x: -wave(x), x),
        "switch": lax.switch(2, [wave, jnp.tanh, lambda x: wave(2 * x)], x),
        "vmap": jax.vmap(wave)(x),
    }


def _assert_alike(found: Any, expected: Any) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)


def test_primitives_are_replaced_wherever_they_are() -> None:
    with_sines = rewriting.rewritten(lambda x: _nested(x, jnp.sin), _cosines_for_sines, _has_sines)
    _assert_alike(with_sines(X), _nested(X, jnp.cos))
    _assert_alike(jax.jit(with_sines)(X), _nested(X, jnp.cos))


@pytest.mark.parametrize("function", [_own_derivative, _own_gradient])
def test_functions_with_their_own_derivatives(function: Callable) -> None:
    replaced = rewriting.rewritten(function, _cosines_for_sines, _has_sines)
    _assert_alike(replaced(X), np.cos(X))


def test_evaluation_without_a_rule_changes_nothing() -> None:
    def plain(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
        return rewriting.as_it_is(equation, operands, plain)

    closed = jax.make_jaxpr(lambda x: _nested(x, jnp.sin))(X)
    found = rewriting.evaluate(closed, [X], plain)
    _assert_alike(found, jax.tree.leaves(_nested(X, jnp.sin)))


def test_function_that_no_rule_concerns_is_called_itself() -> None:
    calls = []

    def function(x: jax.Array) -> jax.Array:
        calls.append(type(x))
        return x + 1

    found = rewriting.rewritten(function, _cosines_for_sines, _has_sines)(X)
    _assert_alike(found, X + 1)
    assert calls[-1] is np.ndarray


def test_equations_keep_the_names_of_their_modules() -> None:
    def function(x: jax.Array) -> jax.Array:
        with jax.named_scope("outer"):
            return jax.jit(lambda x: jax.named_scope("inner")(jnp.sin)(x))(x)

    replaced = rewriting.rewritten(function, _cosines_for_sines, _has_sines)
    [cosine] = rewriting.equations(jax.make_jaxpr(replaced)(X).jaxpr)
    assert str(cosine.source_info.name_stack) == "outer/inner"


def test_keys_and_constants_of_any_type() -> None:
    key = jax.random.key(3)

    def function(numbers: dict[int, Any]) -> jax.Array:
        noise = jax.random.normal(key, (3,))
        return noise + numbers[7][0] + jnp.sin(np.arange(3)) * jnp.array([True, False, True])

    arguments = {7: [np.ones(3, np.float32)], 9: (np.int8(1),)}
    replaced = rewriting.rewritten(function, _cosines_for_sines, _has_sines)
    expected = function(arguments) + (np.cos(range(3)) - np.sin(range(3))) * [1, 0, 1]
    _assert_alike(replaced(arguments), expected)
