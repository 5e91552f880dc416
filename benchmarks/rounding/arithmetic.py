"""What runtimes make of the sum of an integer convolution, each rounding in its own way.

A sum stands for a real number `sum * multiplier`, in steps of the result. Formulas from:

- float: XNNPACK, src/qs8-requantization and the `fp32` kernels of google/XNNPACK.
- two steps, one step: MultiplyByQuantizedMultiplier of tensorflow/lite/kernels/internal/common.h,
  without and with TFLITE_SINGLE_ROUNDING; the first is gemmlowp's.
"""

from collections.abc import Callable

import numpy as np

Rounding = Callable[[np.ndarray, np.ndarray], np.ndarray]


def in_float(sums: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    """Multiplies in float32 and rounds halves to even.

    Args:
      sums: int64[..., channels], within int32.
      multipliers: float64[channels], which count as float32.

    Returns:
      int64[..., channels], without zero point and limits.
    """
    return np.rint(sums.astype(np.float32) * multipliers.astype(np.float32)).astype(np.int64)


def in_two_steps(sums: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    """Multiplies by 31 bits and rounds, then shifts and rounds again; halves away from zero.

    See `in_float` for the arguments; no multiplier is 1 or more.
    """
    fixed, exponents = _fixed_point(multipliers)
    products = sums * fixed
    nudged = products + np.where(products >= 0, 1 << 30, 1 - (1 << 30))
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    masks = (np.int64(1) << -exponents) - 1
    thresholds = (masks >> 1) + (high < 0)
    return (high >> -exponents) + ((high & masks) > thresholds)


def in_one_step(sums: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    """Multiplies by 31 bits, shifts and rounds once; halves upwards.

    See `in_two_steps` for the arguments.
    """
    fixed, exponents = _fixed_point(multipliers)
    shifts = 31 - exponents
    return (sums * fixed + (np.int64(1) << (shifts - 1))) >> shifts


ROUNDINGS: dict[str, Rounding] = {
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
