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

from data.dataset import FILE_NAMES
from data.errors import DataError, disk_errors
from data.forms.checksums import has_sha256
from data.forms.idx import write_idx

DIGITS_SHA256: dict[str, str] = {
    FILE_NAMES[0]: "cc41d93421c6970658a305787abccc92a58a9cd5812207ad71f1b678b2fe41e4",
    FILE_NAMES[1]: "36cc5812f3c26d5daba7960ac9b689090fa3e619dac9dd92fed613470d251329",
    FILE_NAMES[2]: "5ea08ea3d3a90c58c84ec63b5c69490ec2953023bb2e93d36a0b63ae6bad685e",
    FILE_NAMES[3]: "871a9da5cb92498b133295949ce7610c9d1a4c8aa84de8c3eaedc3d438299624",
}
# Of the digits, 1,433 are for training and 364 for eval.
_SIZES = dict(zip(FILE_NAMES, (16 + 1433 * 784, 8 + 1433, 16 + 364 * 784, 8 + 364), strict=True))
_EVAL_EVERY = 5
# Grey levels that become black and white: crisper, as MNIST is, but faint strokes stay.
_BLACK, _WHITE = 2, 14
_WEIGHT_SUM = 2000


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
                        "install the scikit-learn version that this project locks"
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
    images = _centre(_enlarge(digits.images.astype(np.int64)))
    labels = digits.target.astype(np.uint8)
    is_eval = np.zeros(len(labels), bool)
    for digit in range(10):
        is_eval[np.flatnonzero(labels == digit)[::_EVAL_EVERY]] = True
    return images[~is_eval], labels[~is_eval], images[is_eval], labels[is_eval]


def _enlarge(images: np.ndarray) -> np.ndarray:
    """int64[N, 8, 8] of 0..16 to uint8[N, 28, 28], the digit within rows and columns 3 to 24.

    Catmull-Rom interpolation (R. Keys, 1981, a = -1/2) in whole numbers: 8 to 20 pixels puts every
    sample at a multiple of a tenth, so the result is exact and the same on every machine.
    """
    pixels = np.arange(28)
    tenths = 4 * pixels - 19
    left, t = tenths // 10, tenths % 10
    weights = np.zeros((28, 8), np.int64)
    taps = (
        -(t**3) + 20 * t**2 - 100 * t,
        3 * t**3 - 50 * t**2 + _WEIGHT_SUM,
        -3 * t**3 + 40 * t**2 + 100 * t,
        t**3 - 10 * t**2,
    )
    for offset, tap in enumerate(taps, start=-1):
        inside = (left + offset >= 0) & (left + offset < 8)
        weights[pixels[inside], (left + offset)[inside]] = tap[inside]
    enlarged = weights @ images @ weights.T - _BLACK * _WEIGHT_SUM**2
    white = (_WHITE - _BLACK) * _WEIGHT_SUM**2
    return np.clip((2 * 255 * enlarged + white) // (2 * white), 0, 255).astype(np.uint8)


def _centre(images: np.ndarray) -> np.ndarray:
    """Moves each digit by whole pixels so that its centre of mass is the centre, as in MNIST.

    Each has 3 empty pixels on every side before and moves by 3 at most, so none wraps around.
    """
    pixels = np.arange(28)
    for axis in (1, 2):
        profile = images.sum(axis=3 - axis, dtype=np.int64)
        mass, moment = profile.sum(axis=1), (profile * pixels).sum(axis=1)
        shift = (28 * mass - 2 * moment) // (2 * mass)
        index = (pixels - shift[:, None]) % 28
        images = np.take_along_axis(images, np.expand_dims(index, 3 - axis), axis)
    return images
