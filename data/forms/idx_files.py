"""IDX files: images in one, labels in another, for each split."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError, disk_errors
from data.forms.idx import opened_values, read_header, read_range
from data.forms.idx_names import FILE_NAMES, IMAGES, LABELS, Role, existing, missing_name, sets_in
from data.forms.layout import MAX_CLASSES, image_shape_of, pattern_of
from data.forms.reader import Examples, Found, Options, Reader
from data.splits import Split

NEED = f"the four IDX files {', '.join(FILE_NAMES)}, plain or .gz"
_QMNIST_COLUMNS = 8
TRANSPOSED_SETS = "emnist"
_FEW = 4
_MOST_VALUES = 1 << 28  # of labels in columns, which are all looked at


def find(folder: Path) -> Found | None:
    """Returns the one set of IDX files right in `folder`, or None where no name is of such.

    Raises:
        DataError: a file is missing, or there are several sets.
    """
    with disk_errors("look into", folder):
        sets = sets_in(folder.iterdir())
    if not sets:
        return None
    whole = {name: roles for name, roles in sets.items() if not _missing(roles)}
    if not whole:
        name, roles = max(sets.items(), key=lambda item: len(item[1]))
        missing = ", ".join(missing_name(name, role) for role in _missing(roles))
        raise DataError(f"{folder}: {missing} missing; expected {NEED}")
    if len(whole) > 1:
        names = sorted(name.rstrip("-_.") or "MNIST's own names" for name in whole)
        raise DataError(
            f"{folder}: there are files of {len(whole)} data sets ({', '.join(names[:_FEW])}); put "
            "those of one into a folder of its own"
        )
    [(name, roles)] = whole.items()
    files = {
        split: [str(roles[split, kind][0].relative_to(folder)) for kind in (IMAGES, LABELS)]
        for split in (Split.TRAIN, Split.EVAL)
        if (split, IMAGES) in roles
    }
    transposed = name.lower().startswith(TRANSPOSED_SETS)
    return Found(
        folder,
        {split: _pattern(folder, *names) for split, names in files.items()},
        {
            "files": {s: [n.removesuffix(".gz") for n in names] for s, names in files.items()},
            "transposed": transposed,
        },
        notes=("EMNIST's images lie on their side, and were turned upright",) * transposed,
    )


def open_raw(location: Path, options: Options) -> dict[Split, Reader]:
    """Returns the splits of what `find` found.

    Raises:
        DataError: a file cannot be read, or is not of a form that is known.
    """
    return {
        Split(split): _open(*(existing(location, name) for name in names), options["transposed"])
        for split, names in options["files"].items()
    }


def _missing(roles: dict[Role, list[Path]]) -> list[Role]:
    """Without any file of a test set, one can be made."""
    has_eval = any(split == Split.EVAL for split, _ in roles)
    splits = (Split.TRAIN, Split.EVAL) if has_eval else (Split.TRAIN,)
    needed = [(split, kind) for split in splits for kind in (IMAGES, LABELS)]
    return [role for role in needed if role not in roles]


def _pattern(folder: Path, images: str, labels: str) -> str:
    """Returns a pattern for both files: of MNIST's own names, "train-*" or "t10k-*"."""
    pairs = list(zip(images.split("/"), labels.split("/"), strict=False))
    if images.count("/") != labels.count("/"):
        raise DataError(
            f"{folder}: {images} and {labels} are not side by side; put all into one folder"
        )
    return "/".join(f"{pattern_of(_common_start(*pair))}*" for pair in pairs)


def _common_start(one: str, other: str) -> str:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(character for character, _ in same)


def _open(images: Path, labels: Path, transposed: bool) -> "IdxReader":
    header, labels_header = read_header(images), read_header(labels)
    if header.dtype != np.uint8:
        raise DataError(
            f"{images}: holds {header.dtype.name}, expected images of uint8; convert the pixels to "
            "0..255"
        )
    shape = image_shape_of(header.shape)
    if shape is None:
        raise DataError(
            f"{images}: shape is {header.shape}, expected images of shape (N, H, W), (N, H, W, 1), "
            "(N, H, W, 3) or, if they are square, (N, H*W)"
        )
    if header.shape[0] != labels_header.shape[0]:
        raise DataError(
            f"{images} holds {header.shape[0]} images, but {labels} holds {labels_header.shape[0]} "
            "labels; expected one label for each image, so take both files from the same data set"
        )
    for path in (images, labels):
        with opened_values(path):  # whether its size fits its header
            pass
    if transposed:
        shape = shape[1], shape[0], shape[2]
    return IdxReader(images, labels, header.shape[0], shape, transposed, _columns(labels))


def _columns(path: Path) -> str:
    """Returns how labels are written: in the only column, in the first, or one-hot."""
    shape = read_header(path).shape
    if math.prod(shape[1:]) == 1 and len(shape) <= 2:
        return "only"
    if len(shape) == 2 and shape[1] <= MAX_CLASSES and math.prod(shape) <= _MOST_VALUES:
        values = _all_values(path)
        if ((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all():
            return "one_hot"
        if shape[1] == _QMNIST_COLUMNS:
            return "first"
    raise DataError(
        f"{path}: shape is {shape}, expected labels of shape (N,) or (N, 1), one-hot labels, each "
        "row with a single 1, or QMNIST's eight columns"
    )


def _all_values(path: Path) -> np.ndarray:
    with opened_values(path) as (header, parts):
        return np.frombuffer(b"".join(parts), header.dtype).reshape(header.shape)


@dataclass(frozen=True)
class IdxReader(Reader):
    """A split in two IDX files."""

    images_path: Path
    labels_path: Path
    count: int
    image_shape: tuple[int, int, int]
    transposed: bool
    columns: str

    def __len__(self) -> int:
        """See `Reader`."""
        return self.count

    def labels(self) -> np.ndarray:
        """All labels, int64[N]; the file is checked to its end."""
        return self._labels(_all_values(self.labels_path))

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`; a gzip file is decompressed from its beginning up to `stop`."""
        labels = read_range(self.labels_path, start, stop)
        return self._upright(read_range(self.images_path, start, stop)), self._labels(labels)

    def parts(self, size: int) -> Iterator[Examples]:
        """See `Reader.parts`."""
        labels, start = self.labels(), 0
        with opened_values(self.images_path, size * math.prod(self.image_shape)) as (_, parts):
            for part in parts:
                images = self._upright(np.frombuffer(part, np.uint8))
                yield images, labels[start : start + len(images)]
                start += len(images)

    def _upright(self, pixels: np.ndarray) -> np.ndarray:
        height, width, channels = self.image_shape
        if not self.transposed:
            return pixels.reshape(-1, height, width, channels)
        turned = pixels.reshape(-1, width, height, channels).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(turned)

    def _labels(self, values: np.ndarray) -> np.ndarray:
        if self.columns == "one_hot":
            return values.argmax(axis=1)
        return (
            values.reshape(len(values), -1)[:, 0].astype(np.int64)
            if len(values)
            else (np.zeros(0, np.int64))
        )
