"""Data sets of other shapes and classes than digits have, made of scikit-learn's real digits."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

# Grounds that the eye tells apart, and dark enough for white ink.
_GROUNDS = np.array(
    [
        *([0, 0, 0], [160, 0, 0], [0, 130, 0], [0, 0, 170], [140, 120, 0]),
        *([0, 130, 130], [140, 0, 140], [110, 60, 20], [90, 90, 90], [20, 60, 110]),
    ],
    np.uint8,
)
GROUND_NAMES = (
    *("black", "red", "green", "blue", "olive"),
    *("teal", "purple", "brown", "grey", "navy"),
)


class Arrays(NamedTuple):
    """Images uint8[N, H, W] or [N, H, W, 3] and labels int64[N] of both splits."""

    train_images: np.ndarray
    train_labels: np.ndarray
    eval_images: np.ndarray
    eval_labels: np.ndarray


def coloured_digits(train_of_a_class: int, eval_of_a_class: int) -> Arrays:
    """White digits on coloured ground: 32x32x3, class 10 * digit + ground, so 100 classes.

    No digit of the one split is in the other.
    """
    parts = []
    for digits, of_a_class in zip(
        _by_class(range(10)), (train_of_a_class, eval_of_a_class), strict=True
    ):
        images, labels = [], []
        for digit, own in enumerate(digits):
            for ground, colour in enumerate(_GROUNDS):
                for place in range(of_a_class):
                    ink = _enlarged(own[(place * len(_GROUNDS) + ground) % len(own)], (32, 32))
                    share = ink[..., None] / 255
                    images.append(np.rint(share * 255 + (1 - share) * colour).astype(np.uint8))
                    labels.append(10 * digit + ground)
        parts += [np.stack(images), np.array(labels)]
    return Arrays(*parts)


def narrow_digits(classes: tuple[int, ...] = (0, 1, 4)) -> Arrays:
    """Grey images of 20x30 of some of the digits, labelled by the digits themselves."""
    parts = []
    for digits in _by_class(classes):
        images = [_enlarged(digit, (20, 30)) for own in digits for digit in own]
        labels = [value for value, own in zip(classes, digits, strict=True) for _ in own]
        parts += [np.stack(images), np.array(labels)]
    return Arrays(*parts)


def write_npz(path: Path, arrays: Arrays) -> None:
    """Writes one file with the names that Keras gives to its own."""
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(path, **dict(zip(names, arrays, strict=True)))


def write_pictures(folder: Path, arrays: Arrays) -> None:
    """Writes `train/<class>/<number>.png` and `test/...`, classes being named as `4-navy`."""
    train_images, train_labels, eval_images, eval_labels = arrays
    for split, images, labels in (
        ("train", train_images, train_labels),
        ("test", eval_images, eval_labels),
    ):
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            own = folder / split / f"{label // 10}-{GROUND_NAMES[label % 10]}"
            own.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(own / f"{number}.png")


def write_cifar100(folder: Path, arrays: Arrays) -> None:
    """Writes CIFAR-100's binary files: a coarse and a fine label, then red, green and blue."""
    folder.mkdir(parents=True)
    train_images, train_labels, eval_images, eval_labels = arrays
    for name, images, labels in (
        ("train.bin", train_images, train_labels),
        ("test.bin", eval_images, eval_labels),
    ):
        planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        both = np.stack([labels // 10, labels], axis=1).astype(np.uint8)
        (folder / name).write_bytes(np.concatenate([both, planes], axis=1).tobytes())


def _by_class(classes: range | tuple[int, ...]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns the digits uint8[N, 8, 8] of each class for training, and every fifth for eval."""
    images, labels = load_digits(return_X_y=True)
    levels = np.minimum(images.reshape(-1, 8, 8) * 16, 255).astype(np.uint8)
    own = [levels[labels == value] for value in classes]
    is_eval = [np.arange(len(digits)) % 5 == 0 for digits in own]
    return (
        [digits[~chosen] for digits, chosen in zip(own, is_eval, strict=True)],
        [digits[chosen] for digits, chosen in zip(own, is_eval, strict=True)],
    )


def _enlarged(digit: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns a digit uint8[8, 8] as uint8[H, W]."""
    height, width = shape
    return np.asarray(Image.fromarray(digit).resize((width, height), Image.Resampling.BICUBIC))
