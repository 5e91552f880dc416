"""What forms share about names and shapes."""

import math
import re

TRAIN_NAMES = ("train", "training")
# Best first: what is called a test set is one, and where there is none, the validation set is.
EVAL_NAMES = ("test", "testing", "t10k", "eval", "val", "valid", "validation")


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
