"""The parts of a data set."""

import enum


class Split(enum.StrEnum):
    """A split of the examples, and the `image_set` that each of its examples carries."""

    TRAIN = "train"
    EVAL = "eval"  # the test images as the data set comes
    HARD = "hard"  # the same shifted, rotated and scaled; see data/hard.py
