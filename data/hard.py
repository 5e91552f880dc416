"""The hard set: images as people make them on a phone, tilted, off the centre, large or small.

Only sums, products, quotients and roundings of float64 are used, and the bits of a generator whose
stream NumPy keeps (NEP 19), so every machine makes the same images: where a compiler fuses some of
these, only bits differ that the rounding to grey levels takes away.
"""

import numpy as np

from data.warp import warp

# Each image gets values of its own, spread evenly over these ranges.
MAX_HALF_TANGENT = 0.1763  # tan(angle / 2), either way: up to 20 degrees
MAX_SHIFT = 3.0  # pixels of 28, along each axis and either way
SCALES = (0.8, 1.2)

_SIDE = 28
_DRAWS = 4  # random numbers that an image takes
_GREY_LEVELS = 255


def make_hard(images: np.ndarray, first_index: int, seed: int = 0) -> np.ndarray:
    """Rotates, scales and shifts images, each by amounts that its index in the split decides.

    Of an image on black, no ink is lost at the border: what would reach beyond it is scaled or
    shifted less. One that fills it, as a photograph does, is continued by its border.
    Pixels are interpolated bilinearly, and rounded to grey levels.

    Args:
      images: float32[N, H, W, C], range [0, 1].
      first_index: the index of the first image; the others follow it.
      seed: with another one, the amounts are others.

    Returns:
      float32[N, H, W, C], multiples of 1/255 within [0, 1].
    """
    height, width = images.shape[1:3]
    bits = np.random.PCG64(seed).advance(_DRAWS * first_index)
    draws = (bits.random_raw((len(images), _DRAWS)) >> np.uint64(11)) * 2.0**-53  # in [0, 1)
    ranges = np.array([MAX_HALF_TANGENT, MAX_SHIFT * height / _SIDE, MAX_SHIFT * width / _SIDE])
    half_tangent, shift_down, shift_right = ((2 * draws[:, :3] - 1) * ranges).T[..., None]
    scale = SCALES[0] + (SCALES[1] - SCALES[0]) * draws[:, 3:]
    cosine = (1 - half_tangent**2) / (1 + half_tangent**2)
    sine = 2 * half_tangent / (1 + half_tangent**2)

    # Everything is in pixels from the centre of the image, and down and right are positive.
    half_down, half_right = height / 2, width / 2
    places = np.indices((height, width)).reshape(2, 1, -1)
    down, right = places[0] - (half_down - 0.5), places[1] - (half_right - 0.5)
    is_full = _is_full(images)
    has_ink = (images > 0).any(axis=3).reshape(len(images), -1) & ~is_full[:, None]
    # Where the ink ends once it is rotated, before scaling.
    top, bottom = _extent(has_ink, cosine * down + sine * right)
    left, end = _extent(has_ink, cosine * right - sine * down)
    # Between pixels, ink reaches to the next one, a whole pixel from its own.
    reach = cosine + np.abs(sine)
    scale = np.minimum(scale, 2 * half_down / (bottom - top + 2 * reach))
    scale = np.minimum(scale, 2 * half_right / (end - left + 2 * reach))
    shift_down = np.clip(
        shift_down, scale * (reach - top) - half_down, half_down - scale * (reach + bottom)
    )
    shift_right = np.clip(
        shift_right, scale * (reach - left) - half_right, half_right - scale * (reach + end)
    )

    matrices = np.stack([cosine, -sine, sine, cosine], axis=-1).reshape(-1, 2, 2) / scale[..., None]
    shifts = np.concatenate([shift_down, shift_right], axis=1)
    warped = np.empty(images.shape)
    for chosen, beyond in ((~is_full, "grid-constant"), (is_full, "nearest")):
        if chosen.any():
            warped[chosen] = warp(images[chosen], matrices[chosen], shifts[chosen], beyond)
    return np.rint(_GREY_LEVELS * warped).astype(np.float32) / np.float32(_GREY_LEVELS)


def _is_full(images: np.ndarray) -> np.ndarray:
    """Returns which images are not on black, bool[N]: most of all, and of their border, is lit.

    Of an image on black, too, something may touch the border.
    """
    lit = (images > 0).any(axis=3)
    border = np.concatenate([lit[:, 0], lit[:, -1], lit[:, 1:-1, 0], lit[:, 1:-1, -1]], axis=1)
    return (border.mean(axis=1) > 0.5) & (lit.mean(axis=(1, 2)) > 0.5)


def _extent(has_ink: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the greatest place that has ink, or 0 (the centre), float64[N, 1]."""
    inked = np.where(has_ink, places, 0)
    return inked.min(axis=1, keepdims=True), inked.max(axis=1, keepdims=True)
