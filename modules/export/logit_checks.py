"""Checks that an exported model computes what JAX does."""

import numpy as np

from modules.export.recipes import FLOAT32, Recipe

# Where a share of the images would be less, so many may differ, or one in twenty if these are less.
_FORGIVEN, _FORGIVEN_SHARE = 3, 20
_SMALLEST_SPREAD = 0.01  # of the largest logit: the rounding of large numbers is no difference


class ExportMismatchError(RuntimeError):
    """An exported model does not compute what the trained one does."""


def check_logits(
    name: str, expected: np.ndarray, found: np.ndarray, recipe: Recipe = FLOAT32
) -> None:
    """Raises ExportMismatchError unless the logits are as close to JAX's as the recipe demands.

    Differences count in units of the spread of JAX's logits, so that networks with small and with
    large logits are treated alike. No logit may differ by more than `max_logit_difference`. The
    argmax must agree on a share of `min_agreement` of the examples or, unless that is 1, on all but
    a few of them; classes that JAX has within `tie` of each other count as one.

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
    scale = spread(expected)
    differences = np.abs(found.astype(np.float64) - expected).max(axis=1)
    worst = int(np.argmax(np.nan_to_num(differences, nan=np.inf)))
    if not np.isfinite(differences[worst]):
        raise ExportMismatchError(
            f"the {name} or JAX gives logits that are not finite, first for example {worst}"
        )
    if differences[worst] > recipe.max_logit_difference * scale:
        raise ExportMismatchError(
            f"the {name} differs from JAX by up to {differences[worst] / scale:.2g} times the "
            f"spread of the logits (at most {recipe.max_logit_difference:g}), most for example "
            f"{worst}"
        )
    rows = np.arange(len(expected))
    chosen = expected[rows, found.argmax(axis=1)]
    others = int(np.count_nonzero(chosen < expected.max(axis=1) - recipe.tie * scale))
    if others > _allowed(len(rows), recipe):
        raise ExportMismatchError(
            f"the {name} and JAX disagree on {others} of {len(rows)} examples "
            f"(at least {recipe.min_agreement:.1%} must agree)"
        )


def spread(logits: np.ndarray) -> float:
    """Returns the standard deviation of logits, or more where they hardly differ at all."""
    largest = float(np.abs(logits).max(initial=0))
    smallest = float(np.finfo(np.float32).tiny)  # for logits that are all 0
    return max(float(np.std(logits, dtype=np.float64)), _SMALLEST_SPREAD * largest, smallest)


def _allowed(examples: int, recipe: Recipe) -> float:
    if recipe.min_agreement == 1:
        return 0
    forgiven = max(1, min(_FORGIVEN, examples // _FORGIVEN_SHARE))
    return max(forgiven, (1 - recipe.min_agreement) * examples)
