"""NumPy's .npz files, with the names of arrays that Keras, KMNIST and others use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError, disk_errors
from data.forms.layout import MAX_CLASSES, image_shape_of, pattern_of
from data.forms.reader import Examples, Found, Options, Reader
from data.forms.tables.npy_member import NpyMember, members, open_member
from data.splits import Split

_SPLITS = {
    Split.TRAIN: ("train", "training", ""),
    Split.EVAL: ("test", "t10k", "eval", "val", "valid", "validation"),
}
_IMAGES = ("x", "images", "imgs", "image", "data", "features")
_LABELS = ("y", "labels", "label", "targets", "target", "classes")
_GREY_LEVELS = 255
_TOLERANCE = 1e-3  # of a grey level: float32 keeps more
_SCAN_BYTES = 1 << 24
# An array: its file, its name in it.
_Place = tuple[str, str]


def find(folder: Path) -> Found | None:
    """Returns the data set of the .npz files right in `folder`, or None where there are none.

    Raises:
        DataError: the arrays are not named in a known way, or there are several data sets.
    """
    with disk_errors("look into", folder):
        return find_in(folder, sorted(path for path in folder.iterdir() if path.suffix == ".npz"))


def find_in(folder: Path, paths: list[Path]) -> Found | None:
    """Returns the data set of these .npz files in a folder; see `find`."""
    if not paths:
        return None
    named = {path.name: members(path) for path in paths}
    places: dict[str, list[_Place]] = {}
    for file, arrays in named.items():
        for array in arrays:
            # KMNIST has one array without a name in each file, "kmnist-train-imgs.npz".
            name = file.removesuffix(".npz") if arrays == ["arr_0"] else array
            places.setdefault(name.lower().replace("-", "_"), []).append((file, array))
    chosen = {
        split: (_place(places, split, _IMAGES), _place(places, split, _LABELS)) for split in _SPLITS
    }
    if not all(chosen[Split.TRAIN]):
        arrays = ", ".join(sorted({array for held in named.values() for array in held})[:10])
        raise DataError(
            f"{folder if len(paths) > 1 else paths[0]}: there are arrays {arrays or '(none)'}, "
            "expected x_train, y_train, x_test and y_test, or train_images, train_labels, "
            "test_images and test_labels; save them under such names"
        )
    files = {split: both for split, both in chosen.items() if all(both)}
    options: Options = {
        "arrays": {split: [list(place) for place in both] for split, both in files.items()},
        "unit": False,
    }
    readers = open_raw(folder, options)
    options["unit"] = _is_unit(readers[Split.TRAIN].images)
    patterns = {split: pattern_of(both[0][0]) for split, both in files.items()}
    if len(paths) > 1:
        patterns = dict.fromkeys(files, "*.npz")
    return Found(folder, patterns, options)


def open_raw(location: Path, options: Options) -> dict[Split, "NpzReader"]:
    """Returns the splits of what `find` found.

    Raises:
        DataError: an array is damaged, or does not have the shape of images or labels.
    """
    return {
        Split(split): _open(*(open_member(location / f, a) for f, a in both), options["unit"])
        for split, both in options["arrays"].items()
    }


def _place(places: dict[str, list[_Place]], split: Split, kinds: tuple[str, ...]) -> _Place | None:
    for word in _SPLITS[split]:
        for kind in kinds:
            names = (f"{kind}_{word}", f"{word}_{kind}") if word else (kind,)
            ends = tuple(f"_{name}" for name in names) if word else ()
            found = [
                place
                for known, held in places.items()
                for place in held
                if known in names or known.endswith(ends)
            ]
            if len(found) > 1:
                raise DataError(
                    f"{found[0][0]} and {found[1][0]} both hold {found[0][1]}; give one of these "
                    "files as the data set"
                )
            if found:
                return found[0]
    return None


def _open(images: NpyMember, labels: NpyMember, unit: bool) -> "NpzReader":
    shape = _image_shape(images)
    if images.shape[0] != labels.shape[0]:
        raise DataError(
            f"{images.path}: {images.name} holds {images.shape[0]} images, but {labels.name} holds "
            f"{labels.shape[0]} labels; expected one label for each image"
        )
    columns = labels.shape[1] if len(labels.shape) == 2 else 1
    if len(labels.shape) > 2 or not 0 < columns <= MAX_CLASSES:
        raise DataError(
            f"{labels.path}: {labels.name} has shape {labels.shape}, expected labels of shape "
            "(N,) or (N, 1), or one-hot ones (N, classes)"
        )
    return NpzReader(images, labels, shape, unit)


def _image_shape(images: NpyMember) -> tuple[int, int, int]:
    if shape := image_shape_of(images.shape):
        return shape
    is_channels_first = len(images.shape) == 4 and images.shape[1] in (1, 3)
    hint = f"; save {images.name}.transpose(0, 2, 3, 1)" if is_channels_first else ""
    raise DataError(
        f"{images.path}: {images.name} has shape {images.shape}, expected (N, H, W), (N, H, W, 1), "
        f"(N, H, W, 3) or, if they are square, (N, H*W){hint}"
    )


def _is_unit(images: NpyMember) -> bool:
    """Returns whether pixels are in [0, 1] rather than 0 to 255."""
    if images.dtype.kind == "b":
        return True
    if images.dtype.kind != "f":
        return False
    size = max(1, _SCAN_BYTES // max(1, images.item_bytes))
    return all(part.max(initial=0) <= 1 for part in images.parts(size))


@dataclass(frozen=True)
class NpzReader(Reader):
    """A split in two arrays; with `unit`, pixels are in [0, 1]."""

    images: NpyMember
    labels_array: NpyMember
    image_shape: tuple[int, int, int]
    unit: bool

    def __len__(self) -> int:
        """See `Reader`."""
        return self.images.shape[0]

    def labels(self) -> np.ndarray:
        """All labels, int64[N]."""
        size = max(1, _SCAN_BYTES // self.labels_array.item_bytes)
        parts = [self._labels(part) for part in self.labels_array.parts(size)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`; a compressed array is decompressed from its beginning."""
        labels = self.labels_array.read(start, stop)
        return self._pixels(self.images.read(start, stop)), self._labels(labels)

    def parts(self, size: int) -> Iterator[Examples]:
        """See `Reader.parts`."""
        both = zip(self.images.parts(size), self.labels_array.parts(size), strict=True)
        for images, labels in both:
            yield self._pixels(images), self._labels(labels)

    def _pixels(self, values: np.ndarray) -> np.ndarray:
        if values.dtype != np.uint8:
            levels = values.astype(np.float64) * (_GREY_LEVELS if self.unit else 1)
            rounded = np.rint(levels)
            is_exact = (np.abs(levels - rounded) < _TOLERANCE) & (rounded >= 0)
            wrong = ~(is_exact & (rounded <= _GREY_LEVELS))
            if wrong.any():
                raise DataError(
                    f"{self.images.path}: {self.images.name} holds {values[wrong][0]}, expected "
                    "whole numbers from 0 to 255, or 256 grey levels in [0, 1]; save them as uint8"
                )
            values = rounded.astype(np.uint8)
        return values.reshape(-1, *self.image_shape)

    def _labels(self, values: np.ndarray) -> np.ndarray:
        array = self.labels_array
        if values.ndim == 2 and values.shape[1] > 1:
            if not (((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all()):
                raise DataError(
                    f"{array.path}: {array.name} has shape {array.shape}, expected a single 1 in "
                    "each row, as one-hot labels have, or shape (N,)"
                )
            return values.argmax(axis=1)
        values = values.reshape(-1)
        numbers = values.astype(np.int64)
        if (numbers != values).any():
            wrong = values[numbers != values][0]
            raise DataError(
                f"{array.path}: {array.name} holds {wrong}, expected whole numbers as labels; are "
                "these classes?"
            )
        return numbers
