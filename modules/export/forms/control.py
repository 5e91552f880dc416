"""Loops and branches as plain sequences of operations.

TFLite runs loops and branches with its own kernels only, and other tools refuse them.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from modules.jaxprs import rewriting
from modules.jaxprs.rewriting import Equation, Rule

_MAX_STEPS = 64
_MAX_EQUATIONS = 4096  # of all steps together; a device reads them all, whether it loops or not


def concerns(equation: Equation) -> bool:
    """Returns whether `form` has another form of an equation."""
    name, params = equation.primitive.name, equation.params
    if name != "scan":
        return name == "cond"
    equations = sum(1 for _ in rewriting.equations(params["jaxpr"].jaxpr))
    return params["length"] <= _MAX_STEPS and params["length"] * equations <= _MAX_EQUATIONS


def form(equation: Equation, operands: list[Any], rule: Rule) -> list[jax.Array]:
    """Returns the results of an equation that `concerns` has said yes to."""
    of_control = _chosen if equation.primitive.name == "cond" else _unrolled
    return of_control(equation.params, operands, rule)


def _unrolled(params: dict[str, Any], operands: list[Any], rule: Rule) -> list[jax.Array]:
    constants, carry, scanned = rewriting.split_scan(params, operands)
    steps = range(params["length"])
    rows: list[list[jax.Array]] = []
    for step in reversed(steps) if params["reverse"] else steps:
        inputs = [lax.index_in_dim(array, step, keepdims=False) for array in scanned]
        results = rewriting.evaluate(params["jaxpr"], [*constants, *carry, *inputs], rule)
        carry = results[: params["num_carry"]]
        rows.append(results[params["num_carry"] :])
    if params["reverse"]:
        rows.reverse()
    return [*carry, *(jnp.stack(results) for results in zip(*rows, strict=True))]


def _chosen(params: dict[str, Any], operands: list[Any], rule: Rule) -> list[jax.Array]:
    """Computes every branch and takes the results of one: none has an effect beside them."""
    index, *rest = operands
    branches = [rewriting.evaluate(branch, rest, rule) for branch in params["branches"]]
    chosen = branches[-1]
    for number, results in reversed(list(enumerate(branches[:-1]))):
        pairs = zip(results, chosen, strict=True)
        chosen = [jnp.where(index <= number, result, other) for result, other in pairs]
    return chosen
