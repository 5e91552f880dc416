"""Random rotation, scaling, shifting and flips of images, inside the compiled training step."""

import jax
import jax.numpy as jnp

from modules.training.config import TrainConfig

_AFFINE_DRAWS = 4


def draws_of_an_image(config: TrainConfig) -> int:
    """Returns how many random numbers an image takes."""
    return _AFFINE_DRAWS + config.flip


def augment(
    pixels: jax.Array,
    draws: jax.Array,
    config: TrainConfig,
    image_shape: tuple[int, int, int],
) -> jax.Array:
    """Flips, rotates, scales and shifts each image about its centre, each by its own amounts.

    Pixels are interpolated bilinearly; beyond the border, the border pixels are repeated.

    Args:
      pixels: float32[B, H * W * C], row-major.
      draws: float32[B, 4] in [0, 1), mapped linearly to the ranges in `config`; one number more,
        with `config.flip`, flips the images where it is below a half.
      config: has the ranges.
      image_shape: height, width and channels.

    Returns:
      float32[B, H * W * C].
    """
    height, width, channels = image_shape
    if config.flip:
        flipped = pixels.reshape((-1, *image_shape))[:, :, ::-1].reshape(pixels.shape)
        pixels = jnp.where(draws[:, _AFFINE_DRAWS:] < 0.5, flipped, pixels)
        draws = draws[:, :_AFFINE_DRAWS]
    rotation, down, right, scaling = (2 * draws - 1).T[..., None, None]
    angle = jnp.deg2rad(config.max_rotation) * rotation
    scale = 1 + config.max_scaling * scaling
    cosine, sine = jnp.cos(angle) / scale, jnp.sin(angle) / scale
    middle = jnp.array([(height - 1) / 2, (width - 1) / 2], jnp.float32)[:, None, None]
    # Where each pixel of the result comes from.
    rows, columns = jnp.mgrid[:height, :width] - middle
    rows, columns = (
        rows - config.max_shift * height * down,
        columns - config.max_shift * width * right,
    )
    rows, columns = (
        jnp.clip(cosine * rows - sine * columns + middle[0], 0, height - 1),
        jnp.clip(cosine * columns + sine * rows + middle[1], 0, width - 1),
    )
    top = jnp.minimum(jnp.floor(rows), max(0, height - 2))
    left = jnp.minimum(jnp.floor(columns), max(0, width - 2))
    below, beside = rows - top, columns - left
    corner = (top * width + left).astype(jnp.int32).reshape((len(pixels), height * width))
    one_down, one_right = width * (height > 1), int(width > 1)

    def resampled(plane: jax.Array) -> jax.Array:
        """Maps one channel float32[B, H * W] to float32[B, H, W]."""

        def at(offset: int) -> jax.Array:
            return jnp.take_along_axis(plane, corner + offset, axis=1).reshape(rows.shape)

        upper = (1 - beside) * at(0) + beside * at(one_right)
        lower = (1 - beside) * at(one_down) + beside * at(one_down + one_right)
        return (1 - below) * upper + below * lower

    planes = pixels.reshape((len(pixels), height * width, channels))
    found = [resampled(planes[:, :, channel]) for channel in range(channels)]
    return jnp.stack(found, axis=-1).reshape(pixels.shape)
