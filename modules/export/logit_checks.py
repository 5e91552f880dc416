"""Checks that an exported model computes what JAX does."""

import numpy as np

from modules.export.recipes import FLOAT32, Recipe


class ExportMismatchError(RuntimeError):
    """An exported model does not compute what the trained one does."""


def check_logits(
    name: str, expected: np.ndarray, found: np.ndarray, recipe: Recipe = FLOAT32
) -> None:
    """Raises ExportMismatchError unless the logits are as close to JAX's as the recipe demands.

    No logit may differ by more than `max_logit_difference`. For an example with logits beyond -100
    the bound grows in proportion, as rounding errors do. The argmax must agree on a share of
    `min_agreement` of the examples or, unless that is 1, on all but one of them. Where JAX gives
    several classes the same logit, any of them counts.

    Args:
      name: of the model, for the message.
      expected: JAX's float32[N, classes].
      found: the model's float32[N, classes].
      recipe: that the model was made by; a SavedModel must be as good as FLOAT32.
    """
    if found.shape != expected.shape:
        raise ExportMismatchError(
            f"the {name} gives logits of shape {found.shape}, JAX {expected.shape}"
        )
    limits = recipe.max_logit_difference * np.maximum(1, np.abs(expected).max(axis=1) / 100)
    excess = np.abs(found - expected).max(axis=1) / limits
    worst = int(np.argmax(np.nan_to_num(excess, nan=np.inf)))
    if not excess[worst] <= 1:
        raise ExportMismatchError(
            f"the {name} differs from JAX in the logits of example {worst} by {excess[worst]:.2g} "
            f"times what is allowed ({recipe.max_logit_difference:g}): {found[worst]} against "
            f"{expected[worst]}"
        )
    rows = np.arange(len(expected))
    chosen = expected[rows, found.argmax(axis=1)]
    is_best = chosen >= expected.max(axis=1)
    others = np.count_nonzero(~is_best)
    allowed = (1 - recipe.min_agreement) * len(rows)
    if others > (max(1, allowed) if allowed else 0):
        row = int(np.flatnonzero(~is_best)[0])
        raise ExportMismatchError(
            f"the {name} and JAX disagree on {others} of {len(rows)} examples "
            f"(at least {recipe.min_agreement:.1%} must agree), first on example {row}: "
            f"{found[row]} against {expected[row]}"
        )
