"""Files of examples, as ExampleGen writes them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

Serialize = Callable[[np.ndarray, int | None], bytes]
Row = tuple[np.ndarray, int]
GREY = (np.arange(256, dtype=np.float32) / np.float32(255)).tolist()  # as data/dataset.py has them


def write(path: Path, records: list[bytes]) -> None:
    """Writes records to a file; its folder is made if need be."""
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(record)


def draw_rows(levels: Sequence[float], count: int) -> list[Row]:
    """Returns images of such pixels, the same beginning in all, labelled by their number."""
    random = np.random.default_rng(len(levels))
    made = np.float32(random.choice(levels, (count, 784)))
    made[:, :300] = made[0, :300]
    return [(image, label) for label, image in enumerate(made)]


def make_rows() -> list[Row]:
    """Returns images whose first pixel tells their label; two of them twice, with two labels."""
    random = np.random.default_rng(0)
    made = random.random((50, 784), np.float32)
    made[:, 0] = np.arange(50) / 100
    labels = np.arange(50) % 10
    pairs = list(zip(made, labels.tolist(), strict=True))
    return [*pairs, (made[3], 8), (made[3], 1)]
