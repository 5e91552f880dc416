"""Feeds a training: picks the images that are trained on, call by call."""

from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

_AT_ONCE = 4096  # images that are made on the way to the devices
Data = tuple[jax.Array, jax.Array]  # images float32[N, num_pixels] and labels int32[N]


class Images(Protocol):
    """Normalised float32[N, num_pixels]: an array, or what makes the rows that are asked for."""

    def __len__(self) -> int:
        """Returns N."""

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Returns float32[B, num_pixels] of a slice or of int[B]."""


class Rows:
    """Some of the images, likewise made when they are asked for."""

    def __init__(self, images: Images, rows: np.ndarray) -> None:
        """Takes images and which of them, int[R]."""
        self._images, self._rows = images, rows

    def __len__(self) -> int:
        """Returns R."""
        return len(self._rows)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Returns float32[B, num_pixels] of a slice or of int[B]."""
        return self._images[self._rows[rows]]


class Feed:
    """Gives each call of the compiled program its data, and the rows of its batches in them."""

    def __init__(
        self,
        images: Images,
        labels: np.ndarray,
        rows: np.ndarray,
        streamed: bool,
        sharding: jax.sharding.Sharding,
    ) -> None:
        """Takes what is trained on.

        Args:
          images: normalised.
          labels: int[N].
          rows: int[T], those of the two that are trained on.
          streamed: a call is given its own examples alone; else it is given all, which stay on the
            devices from call to call.
          sharding: of the data on the devices.
        """
        self._images, self._rows, self._sharding = images, rows, sharding
        self._labels = np.asarray(labels, np.int32)
        self._resident = None if streamed else self._put_all()

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

    def _put_all(self) -> Data:
        """Puts all rows on the devices, of which some at a time are in the host's memory."""
        images = None
        for start in range(0, len(self._rows), _AT_ONCE):
            some, _ = self._put(self._rows[start : start + _AT_ONCE])
            if images is None:
                shape = (len(self._rows), some.shape[1])
                images = jnp.zeros(shape, jnp.float32, device=self._sharding)
            images = _insert(images, some, start)
        return images, jax.device_put(self._labels[self._rows], self._sharding)


@partial(jax.jit, donate_argnums=0)
def _insert(images: jax.Array, some: jax.Array, start: int) -> jax.Array:
    return jax.lax.dynamic_update_slice_in_dim(images, some, start, axis=0)
