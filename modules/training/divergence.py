"""Stops a training whose loss shows that it has diverged."""

import math
from collections.abc import Sequence

import numpy as np

from modules.training.config import TrainConfig


class TrainingDivergedError(RuntimeError):
    """The loss became NaN or infinite, or larger than guessing would give."""


def check_losses(
    losses: Sequence[float], recent: int, epoch: int, steps: int, config: TrainConfig
) -> None:
    """Looks at the latest losses of an epoch.

    Args:
      losses: of the steps of this epoch so far, in nats.
      recent: how many of them, at the end, are new.
      epoch: counted from 1.
      steps: of the whole epoch.
      config: of the training.

    Raises:
      TrainingDivergedError: one of the new losses is not of a training.
    """
    # A network that only guesses has a loss of log(classes); ten times that is no training.
    limit = 10 * math.log(max(2, config.num_classes))
    bad = np.flatnonzero(~(np.asarray(losses[-recent:]) < limit))
    if bad.size:
        raise TrainingDivergedError(
            f"training diverged: the loss was {losses[bad[0] - recent]:g} in epoch {epoch}, step "
            f"{len(losses) - recent + bad[0] + 1} of {steps} (a sound one is below {limit:.1f}); "
            f"lower learning_rate (now {config.learning_rate:g}) or look for bad values in the data"
        )
