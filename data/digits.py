"""The offline data set: scikit-learn's bundled handwritten digits in MNIST's form and files.

1,797 real 8x8 digits with grey levels 0 to 16. Source: E. Alpaydin, C. Kaynak, "Optical
Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998, CC BY 4.0
(https://doi.org/10.24432/C50P49).
"""

import os
import shutil
import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from data.errors import DataError, disk_errors
from data.forms.idx import write_idx
from data.forms.idx_checksums import has_sha256
from data.forms.idx_names import FILE_NAMES
from data.task import Drawing, Task

TASK = Task("digits", (28, 28, 1), tuple("0123456789"), title="offline digits", drawing=Drawing())

DIGITS_SHA256: dict[str, str] = {
    FILE_NAMES[0]: "a124f16befd1377d95f01e9a8371561b26eec5c4a469fd7537eb0a4a89011311",
    FILE_NAMES[1]: "36cc5812f3c26d5daba7960ac9b689090fa3e619dac9dd92fed613470d251329",
    FILE_NAMES[2]: "305037e05d59bac87e1a1ffd9d5812413cc2893f12fe4f119dc1021149572abb",
    FILE_NAMES[3]: "871a9da5cb92498b133295949ce7610c9d1a4c8aa84de8c3eaedc3d438299624",
}
# Of the digits, 1,433 are for training and 364 for eval.
_SIZES = dict(zip(FILE_NAMES, (16 + 1433 * 784, 8 + 1433, 16 + 364 * 784, 8 + 364), strict=True))
_EVAL_EVERY = 5
_GREY_STEP = 15  # from levels 0 to 16 to levels 0 to 240
# So much of the 8x8 pixels and the empty ones around them becomes 28x28; a digit is 20 pixels then.
_WINDOW, _MARGIN = 11, 4
# Levels that become black and white: crisper, as MNIST is, but faint strokes stay.
_BLACK, _WHITE = 2 * _GREY_STEP, 14 * _GREY_STEP
_CONTRAST = [min(max(255 * (level - _BLACK) // (_WHITE - _BLACK), 0), 255) for level in range(256)]


def make_digits(folder: Path) -> None:
    """Writes the digits into `folder` as the four IDX files of MNIST's names.

    Does not touch files that are right already (TFX fingerprints the time of change) and replaces
    wrong ones. A folder that is new or empty gets all four files in one step.

    Raises:
        DataError: the disk refuses, scikit-learn is missing or holds other digits.
    """
    folder = Path(folder)
    if is_whole(folder):
        return
    wrong = [name for name in FILE_NAMES if not _is_right(folder / name)]
    staging = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    with disk_errors("write", folder):
        staging.mkdir(parents=True)
        try:
            for name, array in zip(FILE_NAMES, _make_arrays(), strict=True):
                write_idx(staging / name, array)
                if not _is_right(staging / name):
                    raise DataError(
                        f"{name}: the digits made from scikit-learn differ from the known ones; "
                        "install the versions of scikit-learn and Pillow that this project locks"
                    )
            try:
                os.replace(staging, folder)
            except OSError:  # it is not empty, perhaps since another run was faster
                for name in wrong:
                    if not _is_right(folder / name):
                        os.replace(staging / name, folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def is_whole(folder: Path) -> bool:
    """Whether the four files of the digits are in `folder`, and right."""
    return all(_is_right(folder / name) for name in FILE_NAMES)


def _is_right(path: Path) -> bool:
    return has_sha256(path, DIGITS_SHA256[path.name], _SIZES[path.name])


def _make_arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train images uint8[N, 28, 28], train labels uint8[N], then the same for eval."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError("the offline digits come from scikit-learn; install it") from error
    digits = load_digits()
    images = np.stack([_enlarge(digit) for digit in digits.images])
    labels = digits.target.astype(np.uint8)
    is_eval = np.zeros(len(labels), bool)
    for digit in range(10):
        is_eval[np.flatnonzero(labels == digit)[::_EVAL_EVERY]] = True
    return images[~is_eval], labels[~is_eval], images[is_eval], labels[is_eval]


def _enlarge(digit: np.ndarray) -> np.ndarray:
    """Grey levels 0..16 of 8x8 pixels to uint8[28, 28], centred by its mass as MNIST is.

    Pillow resamples in whole numbers by Catmull-Rom weights (R. Keys, 1981, a = -1/2), and all
    bounds of the window are eighths, so the result is the same on every machine.
    """
    levels = np.pad(digit.astype(np.uint8) * _GREY_STEP, _MARGIN)
    eighths = 8 * np.arange(len(levels)) + 4
    down, right = (np.rint(np.average(eighths, weights=levels.sum(axis))) / 8 for axis in (1, 0))
    half = _WINDOW / 2
    window = right - half, down - half, right + half, down + half
    enlarged = Image.fromarray(levels).resize(
        TASK.image_shape[:2], Image.Resampling.BICUBIC, box=window
    )
    return np.asarray(enlarged.point(_CONTRAST))
