"""Images of digits, and shapes, as strokes of a pen."""

import itertools

import numpy as np
from scipy import ndimage

_INK = 0.5
_DEEP = 1.4  # pixels from what is no ink: about the pen's own half width, which it adds
_MARGIN = 0.1  # of the sheet, at each side

Stroke = list[tuple[float, float]]  # x and y, in parts of the sheet's side


def strokes_of(image: np.ndarray) -> list[Stroke]:
    """Returns an image float32[H, W] as a pen would fill it, line by line of its pixels."""
    inner = _inner(image > _INK)
    rows, columns = np.nonzero(inner)
    top, left = rows.min(), columns.min()
    scale = (1 - 2 * _MARGIN) / max(np.ptp(rows) + 1, np.ptp(columns) + 1)

    def place(row: int, column: int) -> tuple[float, float]:
        x, y = ((at - start + 0.5) * scale for at, start in ((column, left), (row, top)))
        return _MARGIN + float(x), _MARGIN + float(y)

    strokes = []
    for row, line in enumerate(inner):
        for is_ink, run in itertools.groupby(range(len(line)), key=lambda at: line[at]):
            if is_ink:
                columns = list(run)
                strokes.append([place(row, columns[0]), place(row, columns[-1])])
    return strokes


def _inner(ink: np.ndarray) -> np.ndarray:
    """Returns which pixels are deep in the ink, or deeper than those at two sides of them."""
    around = np.pad(ndimage.distance_transform_edt(ink), 1)
    depth = around[1:-1, 1:-1]
    beside = np.maximum(around[1:-1, :-2], around[1:-1, 2:])
    above = np.maximum(around[:-2, 1:-1], around[2:, 1:-1])
    return ink & ((depth >= _DEEP) | (depth >= beside) | (depth >= above))


def around(centre: tuple[float, float], radius: float, corners: int, step: int = 1) -> list[Stroke]:
    """Returns a closed line through the corners of a star, or of a polygon where `step` is 1."""
    angles = 2 * np.pi * step * np.arange(corners + 1) / corners - np.pi / 2
    points = zip(np.cos(angles).tolist(), np.sin(angles).tolist(), strict=True)
    return [[(centre[0] + radius * x, centre[1] + radius * y) for x, y in points]]
