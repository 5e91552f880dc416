"""The hard set: images as people draw them on a phone, tilted, off the centre, large or small.

Only sums, products, quotients and roundings of float64 are used, and the bits of a generator whose
stream NumPy keeps (NEP 19), so every machine makes the same images.
"""

import numpy as np

from data.dataset import IMAGE_SHAPE

# Each image gets values of its own, spread evenly over these ranges.
MAX_HALF_TANGENT = 0.1763  # tan(angle / 2), either way: up to 20 degrees
MAX_SHIFT = 3.0  # pixels, along each axis and either way
SCALES = (0.8, 1.2)

_DRAWS = 4  # random numbers that an image takes
_GREY_LEVELS = 255


def make_hard(images: np.ndarray, first_index: int, seed: int = 0) -> np.ndarray:
    """Rotates, scales and shifts images, each by amounts that its index in the split decides.

    No ink is lost at the border: what would reach beyond it is scaled or shifted less. Pixels are
    interpolated bilinearly, and rounded to the grey levels of the IDX files.

    Args:
      images: float32[N, 784], row-major 28x28, range [0, 1].
      first_index: the index of the first image; the others follow it.
      seed: with another one, the amounts are others.

    Returns:
      float32[N, 784], multiples of 1/255 within [0, 1].
    """
    bits = np.random.PCG64(seed).advance(_DRAWS * first_index)
    draws = (bits.random_raw((len(images), _DRAWS)) >> np.uint64(11)) * 2.0**-53  # in [0, 1)
    ranges = np.array([MAX_HALF_TANGENT, MAX_SHIFT, MAX_SHIFT])
    half_tangent, shift_down, shift_right = ((2 * draws[:, :3] - 1) * ranges).T[..., None]
    scale = SCALES[0] + (SCALES[1] - SCALES[0]) * draws[:, 3:]
    cosine = (1 - half_tangent**2) / (1 + half_tangent**2)
    sine = 2 * half_tangent / (1 + half_tangent**2)

    # Everything is in pixels from the centre of the image, and down and right are positive.
    half = IMAGE_SHAPE[0] / 2
    down, right = np.indices(IMAGE_SHAPE).reshape(2, 1, -1) - (half - 0.5)
    has_ink = images > 0
    # Where the ink ends once it is rotated, before scaling.
    top, bottom = _extent(has_ink, cosine * down + sine * right)
    left, end = _extent(has_ink, cosine * right - sine * down)
    # Between pixels, ink reaches to the next one, a whole pixel from its own.
    reach = cosine + np.abs(sine)
    scale = np.minimum(scale, 2 * half / (np.maximum(bottom - top, end - left) + 2 * reach))
    shift_down = np.clip(shift_down, scale * (reach - top) - half, half - scale * (reach + bottom))
    shift_right = np.clip(shift_right, scale * (reach - left) - half, half - scale * (reach + end))

    unscaled_down, unscaled_right = (down - shift_down) / scale, (right - shift_right) / scale
    return _interpolate(
        images,
        cosine * unscaled_down - sine * unscaled_right + half - 0.5,
        cosine * unscaled_right + sine * unscaled_down + half - 0.5,
    )


def _extent(has_ink: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the greatest place that has ink, or 0 (the centre), float64[N, 1]."""
    inked = np.where(has_ink, places, 0)
    return inked.min(axis=1, keepdims=True), inked.max(axis=1, keepdims=True)


def _interpolate(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Looks float32[N, 784] up at float64[N, 784] rows and columns; outside, all is 0."""
    height, width = IMAGE_SHAPE
    padded = np.pad(images.reshape(-1, height, width), ((0, 0), (1, 2), (1, 2)))
    rows, columns = np.clip(rows, -1, height), np.clip(columns, -1, width)
    above, before = np.floor(rows), np.floor(columns)
    down, right = rows - above, columns - before
    stride = width + 3
    corner = ((above + 1) * stride + before + 1).astype(np.int64)
    corner += np.arange(len(images))[:, None] * (height + 3) * stride
    flat = padded.ravel()
    upper = (1 - right) * flat[corner] + right * flat[corner + 1]
    lower = (1 - right) * flat[corner + stride] + right * flat[corner + stride + 1]
    levels = np.rint(_GREY_LEVELS * ((1 - down) * upper + down * lower))
    return levels.astype(np.float32) / np.float32(_GREY_LEVELS)
