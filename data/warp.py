"""Affine warps of images: the one way in which rotated, scaled and shifted images are made."""

from typing import Literal

import numpy as np
from scipy import ndimage


def warp(
    images: np.ndarray,
    matrices: np.ndarray,
    shifts: np.ndarray,
    beyond: Literal["grid-constant", "nearest"] = "grid-constant",
) -> np.ndarray:
    """Moves the pixels of images; between pixels, they are interpolated bilinearly.

    Pixel p of a result is its image's at matrix @ (p - shift); p is (down, right) in pixels from
    the centre.

    Args:
      images: float32[N, H, W] or float32[N, H, W, C].
      matrices: float64[N, 2, 2].
      shifts: float64[N, 2], down and right.
      beyond: what continues an image: "grid-constant" is zero, "nearest" the border's own pixels.

    Returns:
      float64 of the same shape.
    """
    middle = (np.array(images.shape[1:3]) - 1) / 2
    # Written out: a product of matrices may be rounded differently by another machine's BLAS.
    offsets = middle - (matrices * (middle + shifts)[:, None]).sum(axis=2)
    warped = np.empty(images.shape, np.float64)
    planes = np.moveaxis(images.reshape(*images.shape[:3], -1), 3, 1)
    results = np.moveaxis(warped.reshape(planes.shape[0], *images.shape[1:3], -1), 3, 1)
    for image, matrix, offset, result in zip(planes, matrices, offsets, results, strict=True):
        for plane, made in zip(image, result, strict=True):
            ndimage.affine_transform(plane, matrix, offset, output=made, order=1, mode=beyond)
    return warped
