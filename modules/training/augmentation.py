"""Random rotation, scaling and shifting of images, inside the compiled training step."""

import jax
import jax.numpy as jnp

from modules import features
from modules.training.config import TrainConfig

DRAWS = 4  # random numbers that an image takes


def augment(pixels: jax.Array, draws: jax.Array, config: TrainConfig) -> jax.Array:
    """Rotates, scales and shifts each image about its centre, each by its own amounts.

    Pixels are interpolated bilinearly; beyond the border, the border pixels are repeated.

    Args:
      pixels: float32[B, 784], row-major 28x28.
      draws: float32[B, 4] in [0, 1), mapped linearly to the ranges in `config`.
      config: has `max_rotation` in degrees, `max_shift` in pixels and `max_scaling`.

    Returns:
      float32[B, 784].
    """
    height, width, _ = features.IMAGE_SHAPE
    rotation, down, right, scaling = (2 * draws - 1).T[..., None, None]
    angle = jnp.deg2rad(config.max_rotation) * rotation
    scale = 1 + config.max_scaling * scaling
    cosine, sine = jnp.cos(angle) / scale, jnp.sin(angle) / scale
    middle = jnp.array([(height - 1) / 2, (width - 1) / 2], jnp.float32)[:, None, None]
    # Where each pixel of the result comes from.
    rows, columns = jnp.mgrid[:height, :width] - middle
    rows, columns = rows - config.max_shift * down, columns - config.max_shift * right
    rows, columns = (
        jnp.clip(cosine * rows - sine * columns + middle[0], 0, height - 1),
        jnp.clip(cosine * columns + sine * rows + middle[1], 0, width - 1),
    )
    top = jnp.minimum(jnp.floor(rows), height - 2)
    left = jnp.minimum(jnp.floor(columns), width - 2)
    below, beside = rows - top, columns - left
    corner = (top * width + left).astype(jnp.int32).reshape(pixels.shape)

    def at(offset: int) -> jax.Array:
        return jnp.take_along_axis(pixels, corner + offset, axis=1).reshape(rows.shape)

    upper = (1 - beside) * at(0) + beside * at(1)
    lower = (1 - beside) * at(width) + beside * at(width + 1)
    return ((1 - below) * upper + below * lower).reshape(pixels.shape)
