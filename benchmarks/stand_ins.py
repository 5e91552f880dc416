"""Stand-ins for the data sets of the catalogue: MNIST's digits in the files of each."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.catalogue import CatalogueEntry
from data.forms.idx import write_idx

Digits = tuple[np.ndarray, np.ndarray]  # images uint8[N, 28, 28] and labels int64[N]
_GZIP_LEVEL = 1
_COLUMNS = 8  # of QMNIST's labels; the first is the digit
# Digits that are others, or themselves, in a mirror are no classes of their own.
_MIRRORED = (2, 3, 4, 5, 6, 7, 9)


class Kind(NamedTuple):
    """A class of a stand-in: a digit, and what is done to its image uint8[28, 28]."""

    digit: int
    change: Callable[[np.ndarray], np.ndarray]


def _kinds() -> list[Kind]:
    """Returns as many classes as EMNIST's balanced split has; those before make a smaller set."""

    def negative(image: np.ndarray) -> np.ndarray:
        return 255 - image

    def turned(image: np.ndarray) -> np.ndarray:
        return np.rot90(image)

    def both(image: np.ndarray) -> np.ndarray:
        return 255 - np.rot90(image)

    changes = (lambda image: image, negative, turned, both)
    kinds = [Kind(digit, change) for change in changes for digit in range(10)]
    return kinds + [Kind(digit, np.fliplr) for digit in _MIRRORED]


def of_classes(digits: Digits, count: int) -> Digits:
    """Returns the digits as images of so many classes, at most 47: turned, mirrored, inverted.

    The images of a digit are shared out among the classes that are made of it.
    """
    images, labels = digits
    kinds = _kinds()[:count]
    if len(kinds) < count:
        raise ValueError(f"{count} classes: expected at most {len(kinds)}")
    changed, classes = np.empty_like(images), np.empty_like(labels)
    for digit in range(10):
        own = [place for place, kind in enumerate(kinds) if kind.digit == digit]
        for number, row in enumerate(np.flatnonzero(labels == digit)):
            classes[row] = own[number % len(own)]
            changed[row] = kinds[classes[row]].change(images[row])
    return changed, classes


def coloured(images: np.ndarray) -> np.ndarray:
    """Returns uint8[N, 28, 28] as uint8[N, 32, 32, 3]: white ink on a dark ground of any colour."""
    grounds = np.random.default_rng(0).integers(0, 160, (len(images), 1, 1, 3))
    ink = np.pad(images, ((0, 0), (2, 2), (2, 2)))[..., None] / 255
    return np.rint(255 * ink + (1 - ink) * grounds).astype(np.uint8)


def write(entry: CatalogueEntry, train: Digits, test: Digits, folder: Path) -> None:
    """Writes a stand-in with the names, the layout and the labels of an entry's own files.

    Args:
      entry: that it stands in for.
      train: digits for training.
      test: digits for the test.
      folder: to write to, made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = [of_classes(digits, entry.task.num_classes) for digits in (train, test)]
    if entry.task.image_shape[2] == 3:
        _write_cifar(entry, made, folder)
        return
    names = [member.name for member in entry.members] or [file.stored_name for file in entry.files]
    pairs = zip(names[::2], names[1::2], strict=True)
    values = np.array(entry.label_values, np.uint8)
    for (images_name, labels_name), (images, classes) in zip(pairs, made, strict=True):
        labels = values[classes]
        if "emnist" in images_name:
            images = images.swapaxes(1, 2)  # they lie on their side there
        if "idx2-int" in labels_name:
            labels = np.repeat(labels[:, None].astype(np.int32), _COLUMNS, axis=1)
            labels[:, 1:] = np.arange(len(labels))[:, None]
        _write_packed(folder / images_name, images)
        _write_packed(folder / labels_name, labels)


def _write_packed(path: Path, array: np.ndarray) -> None:
    plain = path.with_name(path.name.removesuffix(".gz"))
    write_idx(plain, np.ascontiguousarray(array))
    path.write_bytes(gzip.compress(plain.read_bytes(), _GZIP_LEVEL, mtime=0))
    plain.unlink()


def _write_cifar(entry: CatalogueEntry, made: list[Digits], folder: Path) -> None:
    """Writes batches of a label byte and 32x32 pixels by channels; the last is the test's."""
    *batches, last = (folder / member.name for member in entry.members)
    (images, classes), test = ((coloured(images), classes) for images, classes in made)
    shares = (np.array_split(array, len(batches)) for array in (images, classes))
    parts = [*zip(*shares, strict=True), test]
    for path, (some, labels) in zip((*batches, last), parts, strict=True):
        planes = some.transpose(0, 3, 1, 2).reshape(len(some), -1)
        records = np.concatenate([labels[:, None].astype(np.uint8), planes], axis=1)
        path.write_bytes(records.tobytes())
