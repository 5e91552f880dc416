"""A user's own model in Linen that computes in bfloat16, with parameters in float32."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from modules.models import linen


class Network(nn.Module):
    """A convolution and two dense layers."""

    num_classes: int

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Maps float32[B, H, W, C] to logits bfloat16[B, classes]."""
        x = nn.Conv(16, (3, 3), strides=2, dtype=jnp.bfloat16)(images)
        x = nn.tanh(x).reshape((len(x), -1))
        x = nn.tanh(nn.Dense(64, dtype=jnp.bfloat16)(x))
        return nn.Dense(self.num_classes, dtype=jnp.bfloat16)(x)


MODEL = linen(lambda task: Network(task.num_classes))
