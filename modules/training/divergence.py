"""Stops a training whose numbers show that it has diverged."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from modules.models.leaves import named_leaves
from modules.training.config import TrainConfig

# A single step may throw a network far off, and the next ones bring it back.
_PATIENCE = 20  # steps


class TrainingDivergedError(RuntimeError):
    """A number became NaN or infinite, or the loss stayed far above that of guessing."""


class Watch:
    """Looks at the losses of a training, step by step, and at its variables after each epoch."""

    def __init__(self, config: TrainConfig, num_classes: int, steps: int) -> None:
        """Begins to watch.

        Args:
          config: of the training.
          num_classes: of the network.
          steps: of an epoch.
        """
        self._config, self._steps = config, steps
        # A network that only guesses has a loss of log(classes); ten times that is no training.
        self._limit = 10 * math.log(max(2, num_classes))
        self._high = 0  # steps in a row with a loss above the limit, up to the latest
        self._first_high = ""

    def losses(self, losses: Sequence[float], epoch: int, done: int) -> None:
        """Looks at new losses, in nats.

        Args:
          losses: of the latest steps.
          epoch: counted from 1.
          done: steps of the epoch that came before these.

        Raises:
          TrainingDivergedError: one is NaN or infinite, or too many in a row are too large.
        """
        for step, loss in enumerate(losses, done + 1):
            if not np.isfinite(loss):
                raise self._error(self._told(loss, epoch, step))
            self._high = self._high + 1 if loss > self._limit else 0
            if self._high == 1:
                self._first_high = self._told(loss, epoch, step)
            if self._high == _PATIENCE:
                raise self._error(f"{self._first_high} and stayed there")

    def variables(self, variables: Any, epoch: int, validation_loss: float) -> None:
        """Looks at what an epoch ended with: arrays, and the loss on what was held out.

        Raises:
          TrainingDivergedError: a number is NaN or infinite.
        """
        for name, leaf in named_leaves(variables):
            if (
                jnp.issubdtype(leaf.dtype, jnp.inexact)
                and not np.isfinite(np.asarray(leaf, np.float32)).all()
            ):
                raise self._error(f"{name} was not finite after epoch {epoch}")
        if not np.isfinite(validation_loss):
            raise self._error(f"the validation loss was {validation_loss:g} after epoch {epoch}")

    def end(self) -> None:
        """Looks back from the end of the training.

        Raises:
          TrainingDivergedError: the last losses, an epoch's or more, were all too large.
        """
        if self._high >= self._steps:
            raise self._error(f"{self._first_high} and stayed there")

    def _told(self, loss: float, epoch: int, step: int) -> str:
        return (
            f"the loss was {loss:g} in epoch {epoch}, step {step} of {self._steps} (a sound one is "
            f"below {self._limit:.1f})"
        )

    def _error(self, what: str) -> TrainingDivergedError:
        return TrainingDivergedError(
            f"training diverged: {what}; lower learning_rate (now "
            f"{self._config.learning_rate:g}) or look for bad values in the data"
        )
