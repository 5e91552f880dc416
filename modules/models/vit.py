"""A small vision transformer with a class token."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from modules.models import linen


class Attention(nn.Module):
    """Every token looks at all.

    Attributes:
      heads: which share the channels among them.
    """

    heads: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps float32[B, T, D] to float32[B, T, D]."""
        batch, tokens, width = x.shape
        share = width // self.heads

        def projected(name: str) -> jax.Array:
            y = nn.Dense(width, name=name)(x).reshape((batch, tokens, self.heads, share))
            return y.transpose((0, 2, 1, 3))

        query, key, value = (projected(name) for name in ("query", "key", "value"))
        weights = nn.softmax(query @ key.transpose((0, 1, 3, 2)) / share**0.5)
        y = (weights @ value).transpose((0, 2, 1, 3)).reshape((batch, tokens, width))
        return nn.Dense(width, name="out")(y)


class Block(nn.Module):
    """Attention and a perceptron, each beside a shortcut and after a normalisation.

    Attributes:
      heads: of the attention.
    """

    heads: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps float32[B, T, D] to float32[B, T, D]."""
        x = x + Attention(self.heads)(nn.LayerNorm()(x))
        y = nn.Dense(2 * x.shape[-1])(nn.LayerNorm()(x))
        return x + nn.Dense(x.shape[-1])(nn.gelu(y))


class ViT(nn.Module):
    """Patches of 7x7 pixels as tokens, three blocks, and the class token's answer.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", https://arxiv.org/abs/2010.11929.

    Attributes:
      num_classes: length of the output's last axis.
    """

    num_classes: int
    width: int = 64
    depth: int = 3
    heads: int = 4
    patch: int = 7

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Maps normalised images float32[B, H, W, C] to logits float32[B, classes]."""
        patch = (self.patch, self.patch)
        x = nn.Conv(self.width, patch, strides=patch)(images)
        x = x.reshape((x.shape[0], -1, self.width))
        # The class token is the first row of what is added: a token of zeros for each image needs
        # no copies of a parameter, which device runtimes could not resize with the batch.
        x = jnp.pad(x, ((0, 0), (1, 0), (0, 0)))
        shape = (1, x.shape[1], self.width)
        x = x + self.param("position", nn.initializers.normal(0.02), shape)
        for _ in range(self.depth):
            x = Block(self.heads)(x)
        x = jax.lax.index_in_dim(nn.LayerNorm()(x), 0, axis=1, keepdims=False)
        return nn.Dense(self.num_classes)(x)


MODEL = linen(lambda task: ViT(task.num_classes))
