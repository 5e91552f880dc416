"""Some examples of a split, evenly spread over it, with little of it in memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modules.examples import tf_examples


@dataclass(frozen=True)
class Sample:
    """Examples of a split.

    Attributes:
      rows: int64[N], where they are in the split, rising.
      images: raw float32[N, pixels] in [0, 1], in a file.
      labels: int64[N].
    """

    rows: np.ndarray
    images: np.ndarray
    labels: np.ndarray


def read(file_patterns: list[str], count: int, file: Path) -> Sample:
    """Reads every so many of the examples, the first and the last included.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.
      count: how many; all of them where there are no more, and for 0.
      file: where the images are kept.

    Raises:
      ValueError: no file matches, or the files hold no example.
      OSError: the disk refuses.
    """
    total = tf_examples.count(file_patterns)
    rows = np.arange(total)
    if 0 < count < total:
        rows = np.rint(np.linspace(0, total - 1, count)).astype(np.int64)
    labels, start, width = [], 0, 0
    with open(file, "wb") as kept:
        for images, own in tf_examples.read_raw(file_patterns):
            inside = rows[(rows >= start) & (rows < start + len(own))] - start
            kept.write(np.ascontiguousarray(images[inside], np.float32).tobytes())
            labels.append(own[inside])
            start, width = start + len(own), images.shape[1]
    stored = np.memmap(file, np.float32, mode="r", shape=(len(rows), width))
    return Sample(rows, stored, np.concatenate(labels))
