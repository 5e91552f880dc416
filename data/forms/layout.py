"""What forms share about names and shapes."""

import math
import re

TRAIN_NAMES = ("train", "training")
# Best first: what is called a test set is one, and where there is none, the validation set is.
EVAL_NAMES = ("test", "testing", "t10k", "eval", "val", "valid", "validation")


# Of one image, however it is stored: far more than a camera's, far less than the memory.
MAX_PIXELS = 50_000_000
MAX_CLASSES = 1000


def image_shape_of(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Returns height, width and channels of images in an array [N, ...], or None if they are none.

    They are (N, H, W), (N, H, W, 1), (N, H, W, 3) or, if they are square, (N, H*W).
    """
    if not 0 < math.prod(shape[1:]) <= MAX_PIXELS:
        return None
    match shape[1:]:
        case (height, width):
            return height, width, 1
        case (height, width, 1 | 3 as channels):
            return height, width, channels
        case (pixels,) if side := square_side(pixels):
            return side, side, 1
    return None


def pattern_of(name: str) -> str:
    """Returns a pattern for TFX that matches this name, in which nothing else has a meaning."""
    return re.sub(r"[\[\]*?{}]", "?", name)


def square_side(pixels: int) -> int:
    """Returns the side of a square of so many pixels, or 0 where they are none."""
    side = math.isqrt(pixels)
    return side if side * side == pixels else 0


def natural_key(label: int | str) -> tuple[int, int, str]:
    """Sorts numbers by their size, also those that are written as names, and before other names."""
    text = str(label)
    is_number = re.fullmatch(r"-?\d{1,18}", text, re.ASCII) is not None
    return (0, int(text), text) if is_number else (1, 0, text)
