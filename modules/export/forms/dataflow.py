"""Forms that depend on where a value comes from and where it goes, of a function without calls."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from modules.export.forms import windows
from modules.export.forms.elementwise import erf
from modules.jaxprs import rewriting
from modules.jaxprs.rewriting import Equation

# A scope of this name is in no path of modules, since it has a bracket. `flatbuffer` finds it.
EXACT_GELU = "gelu(exact)"


def with_dataflow(function: Callable[..., jax.Array], integers: bool) -> Callable[..., jax.Array]:
    """Returns the same function of (leaves, pixels) with these forms.

    Nothing in it is a call any more: what a jitted function computes has the names of the layers
    that call it.

    Args:
      function: to write in other forms.
      integers: whether it will be computed in integers.
    """

    def evaluated(leaves: Sequence[Any], pixels: jax.Array) -> jax.Array:
        def without_calls(*args: Any) -> list[jax.Array]:
            closed = jax.make_jaxpr(function)(*args)
            return rewriting.evaluate(closed, jax.tree.leaves(args), _plain)

        closed = jax.make_jaxpr(without_calls)(leaves, pixels)
        forms = _Forms(closed.jaxpr, integers)
        return rewriting.evaluate(closed, [*leaves, pixels], forms.rule)[0]

    return evaluated


def _plain(equation: Equation, operands: list[Any]) -> Sequence[Any]:
    return rewriting.as_it_is(equation, operands, _plain)


class _Forms:
    """The forms for one function, whose last argument is what has a batch."""

    def __init__(self, jaxpr: core.Jaxpr, integers: bool):
        self._integers, self._factor = integers, 1.0
        self._of_pixels = {jaxpr.invars[-1]}  # variables that depend on the pixels
        self._makers: dict[Any, Equation] = {}
        self._users: dict[Any, list[Equation]] = {}
        for equation in jaxpr.eqns:
            operands = [atom for atom in equation.invars if not isinstance(atom, core.Literal)]
            if not self._of_pixels.isdisjoint(operands):
                self._of_pixels.update(equation.outvars)
            for result in equation.outvars:
                self._makers[result] = equation
            for operand in operands:
                self._users.setdefault(operand, []).append(equation)

    def rule(self, equation: Equation, operands: list[Any]) -> Sequence[Any]:
        form = self._form(equation)
        return form(operands) if form else rewriting.as_it_is(equation, operands, self.rule)

    def _form(self, equation: Equation) -> Callable[[list[Any]], Sequence[Any]] | None:
        """Returns how to compute an equation's results, None for as it is."""
        name, params = equation.primitive.name, equation.params
        if name == "erfc":
            return lambda operands: [1 - erf(operands[0])]
        if name == "mul" and (place := self._gelu(equation)) is not None:
            return lambda operands: [_exact_gelu(2 * operands[place])]
        if name == "concatenate" and self._mixes(equation):
            return lambda operands: self._concatenated(equation, operands)
        is_float = jnp.issubdtype(equation.outvars[0].aval.dtype, jnp.floating)
        if self._integers and is_float and name == "neg":  # TFLite has no integer kernel
            return lambda operands: [operands[0] * np.float32(-1)]
        if self._integers and name == "max" and (place := _nothing_below(equation)) is not None:
            return lambda operands: [operands[place]]  # infinity has no place in 8 bits
        if self._integers and is_float and self._cuts_off(equation):
            return lambda operands: [self._with_own_range(equation, operands)]
        if windows.is_padded_sum(equation) and not self._is_averaged(equation):
            return lambda operands: [windows.sum_by_convolution(params, operands[0])]
        return None

    def _is_averaged(self, equation: Equation) -> bool:
        """Returns whether a sum over a window is divided by what the window holds.

        TFLite's pools do that, and so they do with a constant, which is how the holding is made.
        """
        users = self._users.get(equation.outvars[0], [])
        is_count = not self._depends(equation.invars[0])
        return is_count or any(
            user.primitive.name == "div"
            and self._made_by(user.invars[1], "reduce_window_sum", 0) is not None
            for user in users
        )

    def _depends(self, atom: Any) -> bool:
        return not isinstance(atom, core.Literal) and atom in self._of_pixels

    def _mixes(self, equation: Equation) -> bool:
        """Returns whether what is the same for every image stands beside what is not."""
        return len({self._depends(atom) for atom in equation.invars}) > 1

    def _concatenated(self, equation: Equation, operands: list[Any]) -> Sequence[Any]:
        """Has the constants of a concatenation depend on the batch: x + 0 * (a part of it)."""
        axis = equation.params["dimension"]
        pairs = list(zip(equation.invars, operands, strict=True))
        some = next(value for atom, value in pairs if self._depends(atom))
        nothing = jax.lax.slice_in_dim(some, 0, 1, axis=axis) * jnp.zeros((), some.dtype)
        operands = [value if self._depends(atom) else value + nothing for atom, value in pairs]
        return rewriting.as_it_is(equation, operands, self.rule)

    def _cuts_off(self, equation: Equation) -> bool:
        """Returns whether the result has a smaller range than an operand that is used elsewhere."""
        if equation.primitive.name not in ("max", "min", "select_n"):
            return False
        factors = [self._made_by(atom, "mul", n) for atom in equation.invars for n in (0, 1)]
        # A choice between x and a multiple of x is an operator of its own: LEAKY_RELU.
        return any(self._is_shared(atom) and atom not in factors for atom in equation.invars)

    def _is_shared(self, atom: Any) -> bool:
        return self._depends(atom) and len(self._users[atom]) > 1

    def _with_own_range(self, equation: Equation, operands: list[Any]) -> jax.Array:
        """Takes a maximum, a minimum or a choice of products with almost 1.

        TFLite's converter gives what goes into them the range of the result: whatever else uses it
        would lose all that they cut off. No two factors are alike, or it would make one of them.
        """
        own = list(operands)
        for place, atom in enumerate(equation.invars):
            if self._is_shared(atom) and jnp.issubdtype(atom.aval.dtype, jnp.floating):
                self._factor -= np.finfo(np.float32).epsneg
                own[place] = operands[place] * np.float32(self._factor)
        return equation.primitive.bind(*own, **equation.params)

    def _gelu(self, equation: Equation) -> int | None:
        """Returns the place of x / 2 where a product is x / 2 * erfc(-x / sqrt(2))."""
        for place, (half, factor) in enumerate((equation.invars, equation.invars[::-1])):
            scaled = self._made_by(factor, "erfc", 0)
            negative = self._product(scaled, 1 / math.sqrt(2))
            x = self._made_by(negative, "neg", 0)
            if x is not None and self._product(half, 0.5) is x:
                return place
        return None

    def _made_by(self, atom: Any, name: str, place: int) -> Any:
        maker = None if isinstance(atom, core.Literal) else self._makers.get(atom)
        return maker.invars[place] if maker and maker.primitive.name == name else None

    def _product(self, atom: Any, factor: float) -> Any:
        """Returns what a value is the product of, beside a constant factor."""
        operands = [self._made_by(atom, "mul", place) for place in (0, 1)]
        for operand, other in (operands, operands[::-1]):
            if isinstance(operand, core.Literal) and np.isclose(operand.val, factor, rtol=1e-6):
                return other
        return None


def _nothing_below(equation: Equation) -> int | None:
    """Returns the place of x in a maximum of x and minus infinity."""
    for place, atom in enumerate(equation.invars[::-1]):
        if isinstance(atom, core.Literal) and np.all(atom.val == -np.inf):
            return place
    return None


def _exact_gelu(x: jax.Array) -> jax.Array:
    """Writes GELU as TFLite's converter knows it; `flatbuffer` makes the operator exact."""
    with jax.named_scope(EXACT_GELU):
        return jax.nn.gelu(x, approximate=True)
