"""What runtimes make of the sum of an integer convolution, each rounding in its own way.

A sum counts in units of (scale of the input) * (scale of the kernel), and becomes a number of steps
of (scale of the result). The formulas:

- float: the "fp32" requantization of https://github.com/google/XNNPACK.
- two steps, one step: `MultiplyByQuantizedMultiplier` in tensorflow/lite/kernels/internal/common.h
  without and with TFLITE_SINGLE_ROUNDING; the first comes from https://github.com/google/gemmlowp.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Scales(NamedTuple):
    """What the integers of a convolution stand for.

    Attributes:
      source: float32, of the input.
      kernel: float32[channels].
      result: float32.
    """

    source: np.float32
    kernel: np.ndarray
    result: np.float32

    @property
    def multipliers(self) -> np.ndarray:
        """Steps of the result in a unit of the sum, float64[channels]."""
        return np.float64(self.source) * self.kernel.astype(np.float64) / np.float64(self.result)


def in_float(sums: np.ndarray, scales: Scales) -> np.ndarray:
    """Multiplies in float32, and rounds halves to even.

    Args:
      sums: int64[..., channels], within the range of int32.
      scales: of the convolution.

    Returns:
      int64[..., channels], before the zero point and the limits.
    """
    multipliers = scales.source * scales.kernel / scales.result
    return np.rint(sums.astype(np.float32) * multipliers).astype(np.int64)


def in_two_steps(sums: np.ndarray, scales: Scales) -> np.ndarray:
    """Multiplies by 31 bits and rounds, then shifts and rounds again; halves away from zero.

    See `in_float` for arguments and result; no multiplier is 1 or more.
    """
    fixed, exponents = _fixed_point(scales.multipliers)
    products = sums * fixed
    nudged = products + np.where(products >= 0, 1 << 30, 1 - (1 << 30))
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    masks = (np.int64(1) << -exponents) - 1
    thresholds = (masks >> 1) + (high < 0)
    return (high >> -exponents) + ((high & masks) > thresholds)


def in_one_step(sums: np.ndarray, scales: Scales) -> np.ndarray:
    """Multiplies by 31 bits, then shifts and rounds once; halves upwards.

    See `in_two_steps` for arguments and result.
    """
    fixed, exponents = _fixed_point(scales.multipliers)
    shifts = 31 - exponents
    return (sums * fixed + (np.int64(1) << (shifts - 1))) >> shifts


ROUNDINGS: dict[str, Callable[[np.ndarray, Scales], np.ndarray]] = {
    "float": in_float,
    "two steps": in_two_steps,
    "one step": in_one_step,
}


def _fixed_point(multipliers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 fractions of 2**31 and int64 exponents of two, none above 0."""
    fractions, exponents = np.frexp(multipliers)
    fixed = np.floor(fractions * 2**31 + 0.5).astype(np.int64)
    is_one = fixed == 1 << 31
    return np.where(is_one, 1 << 30, fixed), exponents.astype(np.int64) + is_one
