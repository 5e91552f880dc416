"""A test set for data that comes without one: a seeded fifth of each class."""

import hashlib

import numpy as np

from data.forms.reader import Reader
from data.forms.views import Selected
from data.splits import Split

SEED = 0
_ONE_IN = 5


def hold_out(reader: Reader, seed: int) -> dict[Split, Reader]:
    """Splits what a reader reads; of a class of two or more, one example is held out at least.

    The order of SHA-256 sums decides, which is the same on every machine.
    """
    labels = reader.labels()
    is_held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        indices = np.flatnonzero(labels == label)
        count = max(1, len(indices) // _ONE_IN) if len(indices) > 1 else 0
        by_sum = sorted(indices, key=lambda i: hashlib.sha256(f"{seed}/{i}".encode()).digest())
        is_held_out[by_sum[:count]] = True
    return {
        Split.TRAIN: Selected.of(reader, ~is_held_out),
        Split.EVAL: Selected.of(reader, is_held_out),
    }
