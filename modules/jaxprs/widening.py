"""Computes in float32 what a network computes in 16 bits, so that every format computes alike.

TFLite has no kernels for bfloat16, and few for float16. What is trained in 16 bits is served in
float32: the same parameters, without the rounding between the layers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend import core

from modules.jaxprs import rewriting

_NARROW = (jnp.dtype(jnp.bfloat16), jnp.dtype(jnp.float16))
_FORMATS = [(info.nexp, info.nmant) for info in map(jnp.finfo, _NARROW)]


def widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function computed in float32 wherever it says bfloat16 or float16.

    Arguments may be of these types: they are taken as the same numbers in float32. A function that
    has none of them is called as it is.
    """
    return rewriting.rewritten(function, _widen, _is_narrow)


def wide(value: Any) -> Any:
    """Returns an array of 16-bit floats as the same numbers in float32, others as they are."""
    if getattr(value, "dtype", None) not in _NARROW:
        return value
    return jnp.asarray(value).astype(jnp.float32)


def _is_narrow(equation: rewriting.Equation) -> bool:
    atoms = (*equation.invars, *equation.outvars)
    return any(getattr(atom.aval, "dtype", None) in _NARROW for atom in atoms)


def _widen(equation: rewriting.Equation, operands: list[Any]) -> Sequence[Any]:
    operands = [wide(operand) for operand in operands]
    params = equation.params
    if any(True for _ in core.jaxprs_in_params(params)) or not _is_narrow(equation):
        return rewriting.as_it_is(equation, operands, _widen)
    name = equation.primitive.name
    if name == "reduce_precision":
        sizes = (params["exponent_bits"], params["mantissa_bits"])
        return operands if sizes in _FORMATS else rewriting.as_it_is(equation, operands, _widen)
    params = {key: _wide_type(value) for key, value in params.items()}
    if name == "convert_element_type" and params["new_dtype"] == operands[0].dtype:
        return operands
    results = equation.primitive.bind(*operands, **params)
    return results if equation.primitive.multiple_results else [results]


def _wide_type(value: Any) -> Any:
    is_narrow = isinstance(value, np.dtype) and value in _NARROW
    return jnp.dtype(jnp.float32) if is_narrow else value
