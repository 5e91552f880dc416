"""How a drawing or a photo of one figure becomes an image of a task, as MNIST's were made.

MNIST's digits "were size normalized to fit in a 20x20 pixel box while preserving their aspect
ratio", with grey levels "as a result of the anti-aliasing technique", and centred "in a 28x28 image
by computing the center of mass of the pixels" (http://yann.lecun.com/exdb/mnist/). What follows is
the only specification of that here. Every program that shows a model drawings follows it step by
step. `//` rounds down, and `round(x)` is floor(x + 0.5). Arithmetic is in whole numbers, so that
all get the same image, whatever they sum up first; only `share` and `scale` of step 7 are float64.

Given are pixels of 8 bits, red, green, blue and alpha (not premultiplied), upright; and of the task
its height H and width W, and its `Drawing` with `size`, `field` and `centre`.

1. Grey. Each colour c becomes (c * alpha + 255 * (255 - alpha) + 127) // 255, so it lies on white.
   The level is (19595 * red + 38470 * green + 7471 * blue + 32768) // 65536.
2. Polarity. The border is the outermost row or column at each side. Its median, the lower of the
   two in the middle, is the background's level. The drawing is dark on light if that is greater
   than the mean of all pixels.
3. As it is. An image of height H and width W that is not dark on light is taken as it is, unless
   step 5 finds no figure in it.
4. Turned round. If it is dark on light, each level v becomes 255 - v.
5. Stretched. Let `low` be the background's level, now 255 less that where it was turned round, and
   `high` the greatest level of all. Each level v becomes max(v - low, 0) * 255 // (high - low).
   If high - low is less than 32, there is no figure.
6. Cut. The box is the smallest with every level of 64 or more; it is h pixels high and w wide.
7. Scaled. With `share` = size / field, the figure becomes as large as it can be within share * H
   times share * W: scale = min(share * H / h, share * W / w), its new height is
   max(1, round(h * scale)) and its new width max(1, round(w * scale)). Each new pixel is the mean
   of the area that it covers: row i covers the old rows from i * h / height to
   (i + 1) * h / height, of the first and last of them the part that lies within; columns likewise.
   So an old row j counts min((j + 1) * height, (i + 1) * h) - max(j * height, i * h) times where
   that is above 0, a column likewise, and the sum of all these is h * w times the mean.
8. Centred. For "mass", y is the mean of i + 0.5 over the figure's rows i, weighted by the sums of
   their pixels' sums, and the figure's top row in the field is H // 2 - floor(y): the row that the
   centre of mass lies in becomes row H // 2, which is 14 in all of MNIST's images. With m for the
   sum of a row, floor(y) is sum(m * (2 * i + 1)) // (2 * sum(m)). For "box" the top row is
   (H - height) // 2. It is moved by as little as keeps all rows within the field. Columns likewise.
   The rest is 0.
9. Each level is the rounded mean, (2 * sum + h * w) // (2 * h * w); the model gets level / 255.
"""

import numpy as np

from data.errors import DataError
from data.task import Drawing

_RED, _GREEN, _BLUE = 19595, 38470, 7471  # ITU-R BT.601, in parts of 65536
_LEAST_CONTRAST = 32
_INK = 64
_ROWS = 256  # of an image that are grey at once, which keeps memory small


def grey_of(pixels: np.ndarray) -> np.ndarray:
    """Returns pixels uint8[h, w, 4] as levels uint8[h, w], on white: step 1."""
    grey = np.empty(pixels.shape[:2], np.uint8)
    for start in range(0, len(pixels), _ROWS):
        part = pixels[start : start + _ROWS].astype(np.int64)
        alpha = part[..., 3:]
        colours = (part[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
        levels = (colours @ np.array([_RED, _GREEN, _BLUE]) + 32768) // 65536
        grey[start : start + _ROWS] = levels
    return grey


def as_image(grey: np.ndarray, drawing: Drawing, shape: tuple[int, int]) -> np.ndarray:
    """Returns a drawing as an image of a task: steps 2 to 9.

    Args:
        grey: levels uint8[h, w].
        drawing: how the task's images were made.
        shape: height and width of the task's images.

    Returns:
        uint8 of `shape`, the figure light on black.

    Raises:
        DataError: there is no figure.
    """
    background = _background(grey)
    # In whole numbers, as a mean of floats depends on how it is summed up.
    is_dark_on_light = background * grey.size > int(grey.sum(dtype=np.int64))
    if is_dark_on_light:
        grey, background = 255 - grey, 255 - background
    levels = _stretched(grey, background)
    if grey.shape == shape and not is_dark_on_light:
        return grey.copy()
    rows, columns = (np.flatnonzero((levels >= _INK).any(axis)) for axis in (1, 0))
    figure = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = drawing.size / drawing.field
    scale = min(share * side / length for side, length in zip(shape, figure.shape, strict=True))
    height, width = (max(1, _round(length * scale)) for length in figure.shape)
    sums = _sums(_sums(figure, height).T, width).T
    field = np.zeros(shape, np.uint8)
    top, left = (_start(sums, axis, shape[axis], drawing.centre) for axis in (0, 1))
    field[top : top + height, left : left + width] = (2 * sums + figure.size) // (2 * figure.size)
    return field


def _background(grey: np.ndarray) -> int:
    is_border = np.ones(grey.shape, bool)
    is_border[1:-1, 1:-1] = False
    border = np.sort(grey[is_border])
    return int(border[(len(border) - 1) // 2])


def _stretched(grey: np.ndarray, background: int) -> np.ndarray:
    """Returns levels uint8[h, w] from 0, the background's, to 255."""
    contrast = int(grey.max()) - background
    if contrast < _LEAST_CONTRAST:
        raise DataError(
            "shows no figure, expected one that is darker or lighter than the image's border; draw "
            "it with more contrast, or away from the border"
        )
    table = np.maximum(np.arange(256) - background, 0) * 255 // contrast
    return np.minimum(table, 255).astype(np.uint8)[grey]


def _sums(values: np.ndarray, length: int) -> np.ndarray:
    """Returns values [h, w] as int64[length, w], each row h times the mean of what it covers."""
    sums, height = np.empty((length, values.shape[1]), np.int64), len(values)
    for row in range(length):
        old = np.arange(row * height // length, -(-(row + 1) * height // length))
        starts, stops = np.maximum(old * length, row * height), (old + 1) * length
        weights = np.minimum(stops, (row + 1) * height) - starts
        sums[row] = weights @ values[old[0] : old[-1] + 1].astype(np.int64)
    return sums


def _start(sums: np.ndarray, axis: int, side: int, centre: str) -> int:
    """Returns where a figure begins along an axis of the field."""
    length = sums.shape[axis]
    if centre == "mass":
        masses = sums.sum(axis=1 - axis)
        start = side // 2 - int(masses @ (2 * np.arange(length) + 1) // (2 * masses.sum()))
    else:
        start = (side - length) // 2
    return min(max(start, 0), side - length)


def _round(number: float) -> int:
    return int(np.floor(number + 0.5))
