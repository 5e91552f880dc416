"""What becomes of the networks: the table in docs/device-models.md, which a test keeps true."""

from modules.export.recipes import RECIPES
from tests.support.networks import NETWORKS

# A part of the reason, by network and recipe; all others ship.
_LOOP = "cannot be made of a network with WHILE; give the loop a fixed, small number of steps"
REFUSED: dict[str, dict[str, str]] = {
    "embedded grey levels": {
        "float16": "differs from JAX",
        "int8": "and JAX disagree",
        "int8_io": "no integer kernel for FLOOR",
    },
    "pure JAX: while_loop": {"int8": _LOOP, "int8_io": _LOOP},
    "pure JAX: scan of 256 steps": {"int8": _LOOP, "int8_io": _LOOP},
    "pure JAX: sin, cos, erf": {
        "int8_io": "no integer kernel for SIN; COS; compute it of constants before"
    },
    "pure JAX: sort": dict.fromkeys(RECIPES, "TFLite has no operator for `sort`"),
}
# Operators that stay in float32 where the recipe quantizes.
KEPT_IN_FLOAT: dict[str, dict[str, set[str]]] = {
    "wide first layer": {"dynamic_range": {"DEPTHWISE_CONV_2D"}},
    "pure JAX: sin, cos, erf": {"int8": {"SIN", "COS", "CONCATENATION"}},
}
# Networks whose float32 model takes one image at a time, or runs a loop.
ONE_IMAGE = {"pure JAX: scan of 256 steps", "pure JAX: rows by number"}
LOOPS = {"pure JAX: while_loop", "pure JAX: scan of 256 steps"}


def table() -> str:
    """Returns the table in Markdown."""
    lines = [
        f"| network | {' | '.join(f'`{name}`' for name in RECIPES)} | |",
        f"| --- | {' | '.join('---' for _ in RECIPES)} | --- |",
    ]
    for network in NETWORKS:
        refused = REFUSED.get(network, {})
        cells = ["no" if name in refused else "yes" for name in RECIPES]
        lines.append(f"| {network} | {' | '.join(cells)} | {_remarks(network)} |")
    return "\n".join(lines)


def _remarks(network: str) -> str:
    remarks = []
    if network in ONE_IMAGE:
        remarks.append("one image at a time")
    if network in LOOPS:
        remarks.append("a loop, which TFLite's own kernels run")
    for recipe, operators in KEPT_IN_FLOAT.get(network, {}).items():
        remarks.append(f"`{recipe}` keeps {', '.join(sorted(operators))} in float32")
    for reason in dict.fromkeys(REFUSED.get(network, {}).values()):
        names = [f"`{name}`" for name, its in REFUSED[network].items() if its == reason]
        remarks.append(f"{', '.join(names)}: {reason}" if len(names) < len(RECIPES) else reason)
    return "; ".join(remarks)
