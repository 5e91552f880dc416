"""A user's own model in NNX: batch statistics, dropout, and blocks in a list."""

import jax
from flax import nnx

from modules.models import nnx_model


class Block(nnx.Module):
    """Convolution, batch normalisation, relu and pooling."""

    def __init__(self, channels: int, features: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(channels, features, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(features, momentum=0.9, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H // 2, W // 2, features]."""
        return nnx.avg_pool(nnx.relu(self.norm(self.conv(x))), (2, 2), (2, 2))


class Network(nnx.Module):
    """Two blocks, dropout and a dense layer."""

    def __init__(self, shape: tuple[int, int, int], num_classes: int, rngs: nnx.Rngs):
        height, width, channels = shape
        self.blocks = nnx.List([Block(channels, 8, rngs), Block(8, 16, rngs)])
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.dense = nnx.Linear(height // 4 * (width // 4) * 16, num_classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps float32[B, H, W, C] to logits float32[B, classes]."""
        for block in self.blocks:
            x = block(x)
        return self.dense(self.dropout(x.reshape(len(x), -1)))


MODEL = nnx_model(lambda task, rngs: Network(task.image_shape, task.num_classes, rngs))
