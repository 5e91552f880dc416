"""Checks that an exported model computes what JAX does."""

import numpy as np

from modules.recipes import FLOAT32, Recipe


class ExportMismatchError(RuntimeError):
    """An exported model does not compute what the trained one does."""


def check_logits(
    name: str, expected: np.ndarray, found: np.ndarray, recipe: Recipe = FLOAT32
) -> None:
    """Raises ExportMismatchError unless the logits are as close as the recipe has to bring them.

    Each logit must be within `max_logit_difference` (in proportion more where it is beyond 100,
    since float32 has seven digits, and quantized weights err in proportion), and the argmax the
    same for a share of `min_agreement`; where JAX's best two are exactly tied, either will do.

    Args:
      name: of the model, for the message.
      expected: JAX's float32[N, classes].
      found: the model's float32[N, classes].
      recipe: that the model was made by; a SavedModel has to be as good as FLOAT32.
    """
    if found.shape != expected.shape:
        raise ExportMismatchError(
            f"the {name} gives logits of shape {found.shape}, JAX {expected.shape}"
        )
    expressible = np.maximum(expected, recipe.min_logit)
    limits = recipe.max_logit_difference * np.maximum(1, np.abs(expressible) / 100)
    excess = (np.abs(found - expressible) / limits).max(axis=1)
    worst = int(np.argmax(np.nan_to_num(excess, nan=np.inf)))
    if not excess[worst] <= 1:
        raise ExportMismatchError(
            f"the {name} differs from JAX in the logits of example {worst} by {excess[worst]:.2g} "
            f"times what is allowed ({recipe.max_logit_difference:g}): {found[worst]} against "
            f"{expected[worst]}"
        )
    rows = np.arange(len(expected))
    is_best = expected[rows, found.argmax(axis=1)] == expected.max(axis=1)
    if not is_best.mean() >= recipe.min_agreement:
        row = int(np.flatnonzero(~is_best)[0])
        raise ExportMismatchError(
            f"the {name} and JAX disagree on {np.count_nonzero(~is_best)} of {len(rows)} examples "
            f"(at least {recipe.min_agreement:.1%} have to agree), first on example {row}: "
            f"{found[row]} against {expected[row]}"
        )
