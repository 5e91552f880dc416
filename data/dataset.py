"""A data set on disk: four IDX files in MNIST's layout, found and checked."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError, disk_errors
from data.idx import check_length, read_header, read_range

IMAGE_SHAPE = (28, 28)
# MNIST's own names, in the order train images, train labels, eval images, eval labels.
FILE_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_MIN_CLASSES = 10


@dataclass(frozen=True)
class DatasetFiles:
    """A checked data set: images uint8[N, 28, 28] and labels uint8[N] for each split."""

    name: str
    train_images: Path
    train_labels: Path
    eval_images: Path
    eval_labels: Path
    num_classes: int
    train_examples: int
    eval_examples: int
    source: str
    is_fallback: bool = False

    @property
    def paths(self) -> tuple[Path, Path, Path, Path]:
        """The four files in the order of FILE_NAMES."""
        return self.train_images, self.train_labels, self.eval_images, self.eval_labels

    @property
    def summary(self) -> str:
        """Where the data comes from and how much it is, in a line."""
        return (
            f"{self.source}: {self.train_examples:,} training and {self.eval_examples:,} test "
            f"images, {self.num_classes} classes"
        )


def candidates(folder: Path, name: str) -> Iterator[Path]:
    """The existing files for one of FILE_NAMES, best first: plain, then .gz; `-idx`, then `.idx`.

    torchvision leaves both the .gz and the unpacked file; the unpacked one is quicker to read.
    """
    for suffix in ("", ".gz"):
        for variant in (name, re.sub(r"-(idx\d-ubyte)$", r".\1", name)):
            if (path := folder / (variant + suffix)).is_file():
                yield path


def open_folder(
    folder: Path, name: str | None = None, num_classes: int | None = None
) -> DatasetFiles:
    """Finds the four IDX files in `folder`, plain or .gz, and checks them completely.

    Args:
        folder: where the files are.
        name: of the data set; the folder's own name if None.
        num_classes: labels must be below it. If None, it is the largest training label + 1, but
            at least 10.

    Raises:
        DataError: the folder or a file is missing, a file is damaged, images are not 28x28, counts
            differ, a split is empty or a label is too large.
    """
    folder = Path(folder)
    paths = _find_files(folder)
    train_examples = _check_pair(*paths[:2])
    eval_examples = _check_pair(*paths[2:])
    train_values = read_range(paths[1], 0, train_examples)
    if num_classes is None:
        num_classes = max(_MIN_CLASSES, int(train_values.max()) + 1)
    _check_labels(paths[1], train_values, num_classes)
    _check_labels(paths[3], read_range(paths[3], 0, eval_examples), num_classes)
    name = name or folder.resolve().name
    return DatasetFiles(
        name,
        *paths,
        num_classes=num_classes,
        train_examples=train_examples,
        eval_examples=eval_examples,
        source=f"{name} from {folder}",
    )


def read_split_range(
    images_path: Path, labels_path: Path, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reads examples [start, stop) of one split as the pipeline's raw features.

    Returns:
        images float32[N, 784], row-major 28x28, uint8 / 255 and so within [0, 1];
        labels int64[N].

    Raises:
        DataError: as for `data.idx.read_range`, or images are not 28x28.
    """
    _check_image_shape(images_path, read_header(images_path).shape)
    images = read_range(images_path, start, stop).reshape(stop - start, math.prod(IMAGE_SHAPE))
    labels = read_range(labels_path, start, stop)
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def _find_files(folder: Path) -> list[Path]:
    need = f"expected the four IDX files {', '.join(FILE_NAMES)}, plain or .gz"
    if not folder.exists():
        raise DataError(f"{folder}: no such folder; {need}")
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; {need} in a folder")
    with disk_errors("list", folder):
        if not any(folder.iterdir()):
            raise DataError(f"{folder}: the folder is empty; {need}")
    found = [next(candidates(folder, name), None) for name in FILE_NAMES]
    missing = [name for name, path in zip(FILE_NAMES, found, strict=True) if path is None]
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} missing; {need}")
    return [path for path in found if path is not None]


def _check_image_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[1:] != IMAGE_SHAPE:
        raise DataError(f"{path}: shape is {shape}, expected images of shape (N, 28, 28)")


def _check_pair(images_path: Path, labels_path: Path) -> int:
    """Checks the images and labels of one split and returns the number of examples."""
    images, labels = check_length(images_path).shape, check_length(labels_path).shape
    _check_image_shape(images_path, images)
    if len(labels) != 1:
        raise DataError(f"{labels_path}: shape is {labels}, expected labels of shape (N,)")
    if images[0] != labels[0]:
        raise DataError(
            f"{images_path} holds {images[0]} images, but {labels_path} holds {labels[0]} labels; "
            "expected one label for each image, so take both files from the same data set"
        )
    if images[0] == 0:
        raise DataError(f"{images_path}: holds no image, expected at least one in each split")
    return images[0]


def _check_labels(path: Path, labels: np.ndarray, num_classes: int) -> None:
    wrong = np.flatnonzero(labels >= num_classes)
    if wrong.size:
        raise DataError(
            f"{path}: label {labels[wrong[0]]} at index {wrong[0]} is out of range, expected 0 to "
            f"{num_classes - 1}; correct the labels ({wrong.size} in all are too large)"
        )
