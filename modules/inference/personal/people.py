"""Simulated people, each with a handwriting of their own, to measure what a personal model gains.

It needs SciPy, which a device does not.
"""

import dataclasses
import zlib

import numpy as np
from scipy import ndimage

from data.warp import warp

# The most of each; who writes oddly has up to a fifth more.
_SLANT, _SHIFT, _NOISE = 0.75, 4, 0.35
_THICKNESS = (-0.7, 1.5)
_CROSS = ndimage.generate_binary_structure(2, 1)[np.newaxis, :, :, np.newaxis]


@dataclasses.dataclass(frozen=True)
class Person:
    """How somebody writes, light on black: the same for all that this person writes.

    Attributes:
      slant: pixels to the right for each pixel up.
      thickness: pixels that strokes grow by at either side where positive, by grey dilation; a
        share of a grey erosion by a pixel where negative.
      shift: pixels down and to the right.
      noise: standard deviation of the noise of each pixel, which is from 0 to 1.
      seed: of the noise.
    """

    slant: float
    thickness: float
    shift: tuple[int, int]
    noise: float
    seed: int

    def writes(self, images: np.ndarray) -> np.ndarray:
        """Returns images as this person would have written them.

        An image gets the same noise whenever it is written.

        Args:
          images: uint8[N, H, W, C], or floats in [0, 1].

        Returns:
          float32[N, H, W, C] in [0, 1].
        """
        images = np.asarray(images)
        scale = 255 if images.dtype == np.uint8 else 1
        written = _thicker(images.astype(np.float32) / np.float32(scale), self.thickness)
        # A warp asks where a pixel comes from: what is above the centre, from further left.
        shear = np.array([[1.0, 0.0], [self.slant, 1.0]])
        shifts = np.tile(np.array(self.shift, np.float64), (len(images), 1))
        written = warp(written, np.tile(shear, (len(images), 1, 1)), shifts)
        for image, made in zip(images, written, strict=True):
            random = np.random.default_rng([self.seed, zlib.crc32(image.tobytes())])
            made += random.normal(0, self.noise, made.shape)
        return np.clip(written, 0, 1).astype(np.float32)


def draw(seed: int) -> Person:
    """Returns the person of a seed: some write almost as everybody does, some very oddly."""
    random = np.random.default_rng([seed, 1795])
    oddness = random.uniform(0.3, 1.2)
    return Person(
        slant=float(random.uniform(-_SLANT, _SLANT) * oddness),
        thickness=float(random.uniform(*_THICKNESS) * oddness),
        shift=(_shift(random, oddness), _shift(random, oddness)),
        noise=float(random.uniform(0, _NOISE) * oddness),
        seed=seed,
    )


def _shift(random: np.random.Generator, oddness: float) -> int:
    return round(random.uniform(-_SHIFT, _SHIFT) * oddness)


def _thicker(images: np.ndarray, pixels: float) -> np.ndarray:
    """Returns float images[N, H, W, C] with strokes thicker by so many pixels, or thinner."""
    operation = ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion
    whole, share = divmod(abs(pixels), 1)
    for part in (*[1.0] * int(whole), share):
        changed = operation(images, footprint=_CROSS)
        images = images + np.float32(part) * (changed - images)
    return images
