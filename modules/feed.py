"""What a training takes its images from: the part of them that is trained on, call by call."""

import jax
import numpy as np

from modules.train_config import TrainConfig

Data = tuple[jax.Array, jax.Array]  # images float32[N, 784] and labels int32[N]


def split_rows(num_examples: int, config: TrainConfig) -> tuple[np.ndarray, np.ndarray]:
    """Splits range(num_examples) at random into (train rows, validation rows), by the seed.

    Raises:
      ValueError: when one batch of training rows does not remain.
    """
    held_out = max(1, round(num_examples * config.validation_share))
    rows = np.random.default_rng(config.seed).permutation(num_examples)
    if num_examples - held_out < config.batch_size:
        raise ValueError(
            f"{num_examples} training examples are too few: {held_out} are held out for "
            f"validation and a batch takes {config.batch_size}"
        )
    return rows[held_out:], rows[:held_out]


class Feed:
    """Gives each call of the compiled program its data, and the rows of its batches in them."""

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        rows: np.ndarray,
        streamed: bool,
        sharding: jax.sharding.Sharding,
    ) -> None:
        """Takes what is trained on.

        Args:
          images: normalised float32[N, 784].
          labels: int[N].
          rows: int[T], those of the two that are trained on.
          streamed: a call is given its own examples alone; else it is given all, which stay on the
            devices from call to call.
          sharding: of the data on the devices.
        """
        self._images, self._rows, self._sharding = images, rows, sharding
        self._labels = np.asarray(labels, np.int32)
        self._resident = None if streamed else self._put(rows)

    def __call__(self, batches: np.ndarray) -> tuple[Data, np.ndarray]:
        """Returns data and where the batches are in it.

        Args:
          batches: int32[steps, B], indices into the `rows` that were given.
        """
        if self._resident:
            return self._resident, batches
        own = np.arange(batches.size, dtype=np.int32).reshape(batches.shape)
        return self._put(self._rows[batches.ravel()]), own

    def _put(self, rows: np.ndarray) -> Data:
        return jax.device_put((self._images[rows], self._labels[rows]), self._sharding)
