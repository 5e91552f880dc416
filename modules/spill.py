"""Arrays larger than the memory: from a limit on, they are kept in a file."""

import itertools
import tempfile
from collections.abc import Iterable

import numpy as np


def collect(parts: Iterable[np.ndarray], max_bytes: float) -> np.ndarray:
    """Joins arrays along their first dimension.

    Args:
      parts: at least one, all of one dtype and, but for the first dimension, shape.
      max_bytes: what may be kept in memory. More goes to a file in Python's folder for temporary
        ones (the variable TMPDIR chooses it), which vanishes with the array.

    Returns:
      The joined array, a `numpy.memmap` if it is in a file.
    """
    parts = iter(parts)
    kept: list[np.ndarray] = []
    size = 0
    for part in parts:
        kept.append(part)
        size += part.nbytes
        if size > max_bytes:
            break
    else:
        return np.concatenate(kept)
    dtype, shape, rows = kept[0].dtype, kept[0].shape[1:], 0
    with tempfile.TemporaryFile() as file:
        for part in itertools.chain(kept, parts):
            part.tofile(file)
            rows += len(part)
        return np.memmap(file, dtype, "r+", shape=(rows, *shape))
