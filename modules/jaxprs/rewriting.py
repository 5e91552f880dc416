"""Evaluates functions of JAX with some of their primitives replaced.

JAX traces a function to a list of equations, each a primitive with its operands. Here the list is
evaluated once more, and rules say what is computed in place of which equations. Functions inside of
it (`jit`, `custom_jvp`, `remat`, the bodies of `scan`, `while` and `cond`) are treated alike. See
https://docs.jax.dev/en/latest/notebooks/Writing_custom_interpreters_in_Jax.html.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from jax import lax
from jax.extend import core, source_info_util
from jax.extend.core import primitives

Equation = core.JaxprEqn
# Gets an equation and the values of its operands, gives its results; see `as_it_is`.
Rule = Callable[[Equation, list[Any]], Sequence[Any]]

# Primitives that only call a function, by the parameter that it is in.
_CALLS = {
    primitives.jit_p: "jaxpr",
    primitives.call_p: "call_jaxpr",
    primitives.closed_call_p: "call_jaxpr",
    primitives.custom_jvp_call_p: "call_jaxpr",
    primitives.custom_vjp_call_p: "call_jaxpr",
    primitives.remat_p: "jaxpr",
}


def rewritten(
    function: Callable[..., Any], rule: Rule, concerns: Callable[[Equation], bool]
) -> Callable[..., Any]:
    """Returns a function that computes the same with the equations that a rule gives.

    Args:
      function: of pytrees of arrays; it must be one that JAX can trace.
      rule: what to compute in place of an equation.
      concerns: whether the rule has something to say of an equation. Where it has of none, the
        function itself is called.
    """

    def evaluated(*args: Any) -> Any:
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
        if not any(map(concerns, equations(closed.jaxpr))):
            return function(*args)
        results = evaluate(closed, jax.tree.leaves(args), rule)
        return jax.tree.unflatten(jax.tree.structure(shape), results)

    return evaluated


def equations(jaxpr: core.Jaxpr) -> Iterator[Equation]:
    """Yields the equations of a function and of all functions inside of it."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in core.jaxprs_in_params(equation.params):
            yield from equations(inner)


def evaluate(closed: core.ClosedJaxpr, args: Sequence[Any], rule: Rule) -> list[Any]:
    """Returns the results of a traced function, with the equations that a rule gives.

    The names of modules that the equations came from stay with them.
    """
    jaxpr = closed.jaxpr
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*closed.consts, *args], strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for equation in jaxpr.eqns:
        source = equation.source_info
        stack = source_info_util.current_name_stack() + source.name_stack
        operands = [read(atom) for atom in equation.invars]
        with source_info_util.user_context(source.traceback, name_stack=stack):
            results = rule(equation, operands)
        values.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def closed(jaxpr: core.Jaxpr | core.ClosedJaxpr) -> core.ClosedJaxpr:
    """Returns a traced function with its constants, of which it may have none of its own."""
    return jaxpr if isinstance(jaxpr, core.ClosedJaxpr) else core.ClosedJaxpr(jaxpr, ())


def as_it_is(equation: Equation, operands: list[Any], rule: Rule) -> Sequence[Any]:
    """Returns the results of an equation, with the rule for those of the functions inside of it."""
    primitive, params = equation.primitive, equation.params
    if primitive in _CALLS:
        return evaluate(closed(params[_CALLS[primitive]]), operands, rule)
    if primitive in _CONTROL_FLOW:
        return _CONTROL_FLOW[primitive](params, operands, rule)
    return bound(equation, operands)


def bound(equation: Equation, operands: list[Any]) -> Sequence[Any]:
    """Returns the results of an equation, whatever functions are inside of it."""
    primitive = equation.primitive
    results = primitive.bind(*operands, **primitive.get_bind_params(equation.params))
    return results if primitive.multiple_results else [results]


def split_scan(params: dict[str, Any], operands: list[Any]) -> tuple[list, list, list]:
    """Returns the constants, the first carry and what is scanned of a `scan`."""
    first, last = params["num_consts"], params["num_consts"] + params["num_carry"]
    return operands[:first], operands[first:last], operands[last:]


def _scan(params: dict[str, Any], operands: list[Any], rule: Rule) -> list[Any]:
    constants, carry, scanned = split_scan(params, operands)

    def body(carry: list, row: list) -> tuple[list, list]:
        results = evaluate(params["jaxpr"], [*constants, *carry, *row], rule)
        return results[: params["num_carry"]], results[params["num_carry"] :]

    options = {name: params[name] for name in ("length", "reverse", "unroll")}
    carry, rows = lax.scan(body, carry, scanned, **options)
    return [*carry, *rows]


def _while(params: dict[str, Any], operands: list[Any], rule: Rule) -> list[Any]:
    first = params["cond_nconsts"]
    last = first + params["body_nconsts"]
    of_condition, of_body, carry = operands[:first], operands[first:last], operands[last:]
    return lax.while_loop(
        lambda carry: evaluate(params["cond_jaxpr"], [*of_condition, *carry], rule)[0],
        lambda carry: evaluate(params["body_jaxpr"], [*of_body, *carry], rule),
        carry,
    )


def _cond(params: dict[str, Any], operands: list[Any], rule: Rule) -> list[Any]:
    branches = [
        lambda *args, branch=branch: evaluate(branch, args, rule) for branch in params["branches"]
    ]
    return lax.switch(operands[0], branches, *operands[1:])


_CONTROL_FLOW = {primitives.scan_p: _scan, primitives.while_p: _while, primitives.cond_p: _cond}
