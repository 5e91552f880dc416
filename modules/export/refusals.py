"""Why a network cannot be converted, in a sentence that names its layer and a way out."""

import re
from collections.abc import Iterator

from jax.extend import core

from data.files import PROJECT_ROOT
from modules.export.graph import tensor_names

_GENERAL = "write that layer with other operations, or leave the recipe out with RECIPES"
# What to write instead, by TFLite's operator or the operation that it has none for.
_WAYS_OUT = {
    "and": "write it with comparisons of floats, or with `jnp.logical_and` of booleans",
    "cumsum": "write the sums as a product with a triangular matrix",
    "cos": "compute it of constants before, or write a polynomial",
    "div": "divide floats; TFLite does not divide such integers",
    "floor": "leave the rounding to the preprocessing",
    "gather_nd": "take slices instead of single places, or multiply by a one-hot matrix",
    "cumlogsumexp": "write `jnp.log(jnp.cumsum(jnp.exp(x)))`",
    "fft": "multiply by the matrix of the transform",
    "log": "leave logarithms to the loss",
    "or": "write it with comparisons of floats, or with `jnp.logical_or` of booleans",
    "pow": "write products instead of a power",
    "reduce_precision": "leave the precision as it is; recipes round the weights",
    "scatter": "add a constant mask times the values, instead of `.at[...]`",
    "shift_right_logical": "draw random numbers in `init` and keep them among the variables",
    "sin": "compute it of constants before, or write a polynomial",
    "sort": "take the largest, the smallest or the mean instead of sorted values",
    "stablehlo_scatter": "add a constant mask times the values, instead of `.at[...]`",
    "top_k": "take the largest instead of the k largest values",
    "while": "give the loop a fixed, small number of steps: `jax.lax.scan` is then unrolled",
    "xor": "write `a != b`",
}
# JAX's primitives by names that errors have.
_PRIMITIVES = {
    "bitwiseand": "and",
    "bitwiseor": "or",
    "bitwisexor": "xor",
    "leftshift": "shift_left",
    "right_shift": "shift_right_logical",
    "rightshift": "shift_right_logical",
    "stablehlo_scatter": "scatter",
}


def cause(error: Exception) -> str:
    """Returns the line of an error that says most; MLIR's have many, with parts of the graph."""
    lines = [line for line in str(error).splitlines() if line.strip()] or ["without a message"]
    found = (re.search(r"error: (.*)", line) for line in lines)
    text = next((match[1] for match in found if match), lines[0])
    return re.sub(r"loc\(.*\): ", "", text).strip()[:200]


def way_out(operator: str) -> str:
    """Returns what to write instead of an operator or a primitive."""
    return _WAYS_OUT.get(operator.lower(), _GENERAL)


def explained(error: Exception, inference: core.ClosedJaxpr) -> str:
    """Returns a converter's error as a sentence about the user's network.

    Args:
      error: of TFLite's converter or interpreter.
      inference: what was converted, as JAX traces it.
    """
    text = str(error)
    match = re.search(
        r"'(?:vhlo|mhlo|stablehlo|tf|tfl)\.(\w+?)(?:_v\d+)?' ?op|"
        r"operation '\w+\.(\w+)'|\((\w+)\) failed to",
        text,
    )
    if not match:
        return f"TFLite's converter failed: {cause(error)}"
    name = next(filter(None, match.groups())).lower()
    primitive = _PRIMITIVES.get(name, name)
    layers = dict.fromkeys(_layers_with(inference.jaxpr, primitive))
    where = f", which the layer {', '.join(layers)} needs" if any(layers) else ""
    ours = {path.name for path in (PROJECT_ROOT / "modules").rglob("*.py")}
    places = re.findall(r"([^\s/\"]+\.py):(\d+):\d+", text)
    place = next((each for each in places if each[0] not in ours), None)
    line = f" ({place[0]}, line {place[1]})" if place else ""
    return f"TFLite has no operator for `{primitive}`{where}{line}; {way_out(primitive)}"


def _layers_with(jaxpr: core.Jaxpr, primitive: str, outer: str = "") -> Iterator[str]:
    """Yields the layers, by the names of modules, that a primitive is in."""
    for equation in jaxpr.eqns:
        stack = f"{outer}/{equation.source_info.name_stack}"
        if equation.primitive.name == primitive:
            yield "/".join(tensor_names.modules([*stack.strip("/").split("/"), primitive]))
        for inner in core.jaxprs_in_params(equation.params):
            yield from _layers_with(inner, primitive, stack)
