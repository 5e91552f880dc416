"""A long short-term memory that reads an image row by row."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from modules.models import linen


class LSTM(nn.Module):
    """One layer over the rows, and a dense one on its last output.

    The steps are written out: device runtimes run a loop slowly, or not at all.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997).

    Attributes:
      num_classes: length of the output's last axis.
      features: numbers that are remembered.
    """

    num_classes: int
    features: int = 96

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Maps normalised images float32[B, H, W, C] to logits float32[B, classes]."""
        rows = images.reshape((*images.shape[:2], -1))
        gates = nn.Dense(4 * self.features, name="inputs")(rows)
        recurrent = nn.Dense(4 * self.features, use_bias=False, name="recurrent")
        cell, output = None, None
        for row in range(gates.shape[1]):
            gate = jax.lax.index_in_dim(gates, row, axis=1, keepdims=False)
            if output is not None:
                gate = gate + recurrent(output)
            write, keep, show, new = jnp.split(gate, 4, axis=-1)
            written = nn.sigmoid(write) * jnp.tanh(new)
            # A fresh network keeps more than it forgets.
            cell = written if cell is None else nn.sigmoid(keep + 1) * cell + written
            output = nn.sigmoid(show) * jnp.tanh(cell)
        return nn.Dense(self.num_classes, name="logits")(output)


MODEL = linen(lambda task: LSTM(task.num_classes))
