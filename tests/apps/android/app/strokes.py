"""Real digits as strokes of a finger."""

import numpy as np

_INK = 128
_FIELD = 0.8  # of the side: a person does not draw to the edge


def strokes_of(image: np.ndarray) -> list[list[float]]:
    """Returns a stroke along each run of ink in each row, which together cover the digit.

    Args:
      image: levels uint8[h, w], light on black.

    Returns:
      Of each stroke x and y in turn, in parts of the side, from 0 to 1.
    """
    rows, columns = (np.flatnonzero((image >= _INK).any(axis)) for axis in (1, 0))
    figure = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] >= _INK
    scale = _FIELD / max(figure.shape)
    left, top = ((1 - length * scale) / 2 for length in (figure.shape[1], figure.shape[0]))
    strokes = []
    for y, row in enumerate(figure):
        edges = np.flatnonzero(np.diff(np.pad(row, 1).astype(np.int8)))
        for start, stop in edges.reshape(-1, 2):
            # The ends are round, and stand out by half of a stroke's width.
            xs = (start + 0.9, stop - 0.9) if stop - start > 2 else ((start + stop) / 2,) * 2
            at = top + (y + 0.5) * scale
            strokes.append([left + xs[0] * scale, at, left + xs[1] * scale, at])
    return [[float(number) for number in stroke] for stroke in strokes]
