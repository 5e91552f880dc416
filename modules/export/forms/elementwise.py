"""Functions that the locked TensorFlow cannot read as JAX writes them, or that TFLite lacks.

JAX writes some functions as one operation of a newer StableHLO than TensorFlow reads. Here they are
sums, products and what TFLite has an operator for; in float32 all are within 1e-6 of JAX's own.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from modules.jaxprs.rewriting import Equation

# Of x in [-_ERF_LIMIT, _ERF_LIMIT], beyond which erf is 1 in float32: the coefficients of x^8 ... 1
# over those of x^12 ... 1, times x. Source: XLA, xla/hlo/builder/lib/math.cc, `ErfImpl32`.
_ERF_LIMIT = 3.7439211627767994
_ERF_ABOVE = (
    0.00022905065861350646, 0.0034082910107109506, 0.050955695062380861, 0.18520832239976145,
    1.128379143519084,
)  # fmt: skip
_ERF_BELOW = (
    -1.1791602954361697e-7, 0.000023547966471313185, 0.0010179625278914885, 0.014070470171167667,
    0.11098505178285362, 0.49746925110067538, 1.0,
)  # fmt: skip


def erf(x: jax.Array) -> jax.Array:
    """Returns the error function of float32."""
    x = jnp.clip(x, -_ERF_LIMIT, _ERF_LIMIT)
    square = x * x
    return x * _polynomial(square, _ERF_ABOVE) / _polynomial(square, _ERF_BELOW)


def _polynomial(x: jax.Array, coefficients: tuple[float, ...]) -> jax.Array:
    result = jnp.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


def _asin(x: jax.Array) -> jax.Array:
    return 2 * jnp.arctan2(x, 1 + jnp.sqrt((1 - x) * (1 + x)))


def _acos(x: jax.Array) -> jax.Array:
    return 2 * jnp.arctan2(jnp.sqrt((1 - x) * (1 + x)), 1 + x)


def _sinh(x: jax.Array) -> jax.Array:
    above = jnp.expm1(jnp.abs(x))
    return jnp.sign(x) * 0.5 * (above + above / (above + 1))


def _cosh(x: jax.Array) -> jax.Array:
    return 0.5 * (jnp.exp(x) + jnp.exp(-x))


def _asinh(x: jax.Array) -> jax.Array:
    size = jnp.abs(x)
    return jnp.sign(x) * jnp.log1p(size + size * size / (1 + jnp.sqrt(size * size + 1)))


def _acosh(x: jax.Array) -> jax.Array:
    return jnp.log(x + jnp.sqrt((x - 1) * (x + 1)))


def _atanh(x: jax.Array) -> jax.Array:
    return 0.5 * (jnp.log1p(x) - jnp.log1p(-x))


def _cbrt(x: jax.Array) -> jax.Array:
    return jnp.sign(x) * jnp.abs(x) ** (1 / 3)


def _rem(x: jax.Array, y: jax.Array) -> jax.Array:
    """Has the sign of x; TFLite only knows the one with the sign of y."""
    quotient = x / y
    return x - y * jnp.sign(quotient) * jnp.floor(jnp.abs(quotient))


def _top_k(x: jax.Array, *, k: int, axis: int) -> tuple[jax.Array, jax.Array]:
    places = lax.broadcasted_iota(jnp.int32, x.shape, axis)
    values, places = lax.sort((-x, places), dimension=axis, num_keys=1, is_stable=True)
    return tuple(lax.slice_in_dim(part, 0, k, axis=axis) for part in (-values, places))


def clipped_gather(equation: Equation, operands: list[Any]) -> list[jax.Array]:
    """Clips places by itself, which JAX leaves to the operation; TFLite's does not do it."""
    params, (array, places) = dict(equation.params), operands
    last = [
        array.shape[axis] - params["slice_sizes"][axis]
        for axis in params["dimension_numbers"].start_index_map
    ]
    params["mode"] = lax.GatherScatterMode.PROMISE_IN_BOUNDS
    places = jnp.clip(places, 0, jnp.array(last, places.dtype))
    return [equation.primitive.bind(array, places, **params)]


# By the name of JAX's primitive, for floats. The SavedModel needs the first ones, too.
FOR_TENSORFLOW: dict[str, Callable[..., Any]] = {
    "erf": erf,
    "asin": _asin,
    "acos": _acos,
    "sinh": _sinh,
    "cosh": _cosh,
    "asinh": _asinh,
    "acosh": _acosh,
    "atanh": _atanh,
    "top_k": _top_k,
}
FOR_TFLITE: dict[str, Callable[..., Any]] = {
    **FOR_TENSORFLOW,
    "cbrt": _cbrt,
    "rem": _rem,
}
_KEYWORDS = {"top_k": ("k", "axis")}


def is_logaddexp(equation: Equation) -> bool:
    """Returns whether an equation is log(exp(a) + exp(b)), which softplus is made of."""
    if equation.primitive.name != "custom_jvp_call":
        return False
    return equation.params["call_jaxpr"].jaxpr.debug_info.func_name == "logaddexp"


def logaddexp(operands: list[Any]) -> list[jax.Array]:
    """Returns log(exp(a) + exp(b)) without JAX's test for NaN, a choice in the midst of floats."""
    a, b = operands
    return [jnp.maximum(a, b) + jnp.log1p(jnp.exp(-jnp.abs(a - b)))]


def has_form(equation: Equation, table: dict[str, Callable[..., Any]]) -> bool:
    """Returns whether a table has a form of an equation."""
    operand = equation.invars[0].aval if equation.invars else None
    is_float = operand is not None and jnp.issubdtype(operand.dtype, jnp.floating)
    return is_float and equation.primitive.name in table


def form(
    equation: Equation, operands: list[Any], table: dict[str, Callable[..., Any]]
) -> list[jax.Array]:
    """Returns the results of an equation by a table's form of it."""
    name = equation.primitive.name
    keywords = {key: equation.params[key] for key in _KEYWORDS.get(name, ())}
    results = table[name](*operands, **keywords)
    return list(results) if equation.primitive.multiple_results else [results]


def is_clipped_gather(equation: Equation) -> bool:
    """Returns whether an equation is a gather that clips its places."""
    name, params = equation.primitive.name, equation.params
    return name == "gather" and params["mode"] == lax.GatherScatterMode.CLIP
