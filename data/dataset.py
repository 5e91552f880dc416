"""A data set on disk: four IDX files in MNIST's layout, found and checked."""

import itertools
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.errors import DataError, disk_errors
from data.forms.checksums import changed, digest_of, part_digests, sha256_of
from data.forms.idx import IdxHeader, read_header, read_range
from data.forms.labels import LabelCounts

IMAGE_SHAPE = (28, 28)
# MNIST's own names, in the order train images, train labels, eval images, eval labels.
FILE_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
# A range is read at once. To reach its start, one of a gzipped file has to be decompressed from the
# top, so ranges are few.
RANGE_SIZE = 10_000
_MIN_CLASSES = 10


@dataclass(frozen=True)
class DatasetFiles:
    """A checked data set: images uint8[N, 28, 28] and labels uint8[N] for each split.

    `digests` are the SHA-256 (hex) of what the four files held then, decompressed, in the order of
    FILE_NAMES: files change.
    """

    name: str
    train_images: Path
    train_labels: Path
    eval_images: Path
    eval_labels: Path
    num_classes: int
    train_examples: int
    eval_examples: int
    source: str
    digests: tuple[str, str, str, str]
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


class CheckedRange(NamedTuple):
    """Examples [start, stop) of a split, and the digests of their images and of their labels."""

    start: int
    stop: int
    digests: tuple[bytes, bytes]


def spellings(name: str) -> list[str]:
    """The names that a file for one of FILE_NAMES may have, best first: plain, then .gz.

    torchvision leaves both the .gz and the unpacked file; the unpacked one is quicker to read.
    """
    variants = name, re.sub(r"-(idx\d-ubyte)$", r".\1", name)
    return [variant + suffix for suffix in ("", ".gz") for variant in variants]


def candidates(folder: Path, name: str) -> Iterator[Path]:
    """The existing files for one of FILE_NAMES, best first."""
    return (path for spelling in spellings(name) if (path := folder / spelling).is_file())


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
        DataError: the folder or a file is missing, a file is damaged, the images are not 28x28, the
            counts of images and labels differ, a split is empty or a label is too large.
    """
    folder = Path(folder)
    paths = _find_files(folder)
    # Headers first: they are read at once, and what follows takes as long as the files are large.
    headers = [read_header(path) for path in paths]
    for pair in (slice(0, 2), slice(2, 4)):
        _check_pair(*paths[pair], *headers[pair])
    counts = [LabelCounts(), LabelCounts()]
    sees = (lambda values: None, counts[0].add, lambda values: None, counts[1].add)
    # Each file is read once, so that what was found is true of one and the same content.
    digests = [
        sha256_of(path, see, header=header)
        for path, see, header in zip(paths, sees, headers, strict=True)
    ]
    if num_classes is None:
        num_classes = max(_MIN_CLASSES, counts[0].largest + 1)
    counts[0].check(paths[1], num_classes)
    counts[1].check(paths[3], num_classes)
    name = name or folder.resolve().name
    return DatasetFiles(
        name,
        *paths,
        num_classes=num_classes,
        train_examples=headers[0].shape[0],
        eval_examples=headers[2].shape[0],
        source=f"{name} from {folder}",
        digests=tuple(digests),
    )


def read_split_range(
    images_path: Path,
    labels_path: Path,
    start: int,
    stop: int,
    digests: tuple[bytes, bytes] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Reads examples [start, stop) of one split as the pipeline's raw features.

    Args:
        images_path: of the split.
        labels_path: of the split.
        start: index of the first example.
        stop: index after the last one.
        digests: which images and labels this range must hold, as `checked_ranges` returns them;
            None to accept any.

    Returns:
        images float32[N, 784], row-major 28x28, uint8 / 255 and so within [0, 1];
        labels int64[N].

    Raises:
        DataError: as for `idx.read_range`; or the images are not 28x28; or the range holds other
            examples than the digests say.
    """
    _check_image_shape(images_path, read_header(images_path).shape)
    paths = images_path, labels_path
    images, labels = (read_range(path, start, stop) for path in paths)
    if digests:
        for path, values, digest in zip(paths, (images, labels), digests, strict=True):
            if digest_of(values) != digest:
                raise changed(path)
    images = images.reshape(stop - start, math.prod(IMAGE_SHAPE))
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def checked_ranges(
    images_path: Path, labels_path: Path, sha256: Sequence[str]
) -> list[CheckedRange]:
    """Returns a split as ranges of RANGE_SIZE examples, the last one with fewer.

    Args:
        images_path: of the split.
        labels_path: of the split.
        sha256: of the two files, as in `DatasetFiles.digests`.

    Raises:
        DataError: a file is not there any more, or holds something else.
    """
    sizes = math.prod(IMAGE_SHAPE), 1
    images, labels = (
        part_digests(path, RANGE_SIZE * size, digest)
        for path, size, digest in zip((images_path, labels_path), sizes, sha256, strict=True)
    )
    stops = itertools.accumulate(length for length, _ in labels)
    return [
        CheckedRange(stop - length, stop, (image_digest, label_digest))
        for (_, image_digest), (length, label_digest), stop in zip(
            images, labels, stops, strict=True
        )
    ]


def _find_files(folder: Path) -> list[Path]:
    need = f"expected the four IDX files {', '.join(FILE_NAMES)}, plain or .gz"
    with disk_errors("look into", folder):
        if not folder.exists():
            raise DataError(f"{folder}: no such folder; {need}")
        if not folder.is_dir():
            raise DataError(f"{folder}: not a folder; {need} in a folder")
        if not any(folder.iterdir()):
            raise DataError(f"{folder}: the folder is empty; {need}")
        found = [next(candidates(folder, name), None) for name in FILE_NAMES]
    missing = [name for name, path in zip(FILE_NAMES, found, strict=True) if path is None]
    for name in missing:
        for spelling in spellings(name):
            if os.path.lexists(folder / spelling):
                read_header(folder / spelling)  # says what it is instead of a file
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} missing; {need}")
    return [path for path in found if path is not None]


def _check_image_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[1:] != IMAGE_SHAPE:
        raise DataError(f"{path}: shape is {shape}, expected images of shape (N, 28, 28)")


def _check_pair(
    images_path: Path, labels_path: Path, images_header: IdxHeader, labels_header: IdxHeader
) -> None:
    """Checks that the images and labels of one split go together."""
    images, labels = images_header.shape, labels_header.shape
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
