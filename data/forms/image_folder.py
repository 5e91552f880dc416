"""Folders of images by class: `train/<class>/*.png`, `test/<class>/*.png`, or `<class>/*.png`."""

import functools
import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError, disk_errors
from data.forms.layout import EVAL_NAMES, TRAIN_NAMES, natural_key, pattern_of
from data.forms.pictures import SUFFIXES, is_grey, read_picture, size_of
from data.forms.reader import Examples, Found, Options, Reader
from data.forms.views import out_of_range
from data.splits import Split
from data.task import MAX_SIDE

_Listing = tuple[tuple[str, str], ...]  # class and path below the split's folder, of each image


def find(folder: Path, size: tuple[int, int] | None) -> Found | None:
    """Returns the data set of the folders of images in `folder`, or None where there are none.

    Args:
        folder: to look into.
        size: height and width that all images are to have; None for what they all have.

    Raises:
        DataError: an image is damaged, or they differ in size and `size` is None.
    """
    with disk_errors("look into", folder):
        folders = {p.name: p for p in folder.iterdir() if p.is_dir() and p.name[0] not in "._"}
    lower = {name.lower(): name for name in folders}
    train = next((lower[name] for name in TRAIN_NAMES if name in lower), None)
    notes: list[str] = []
    if train is None:
        listing, _ = _listed(folder, ".")
        if len({label for label, _ in listing}) < 2:
            return None
        roots = {Split.TRAIN: "."}
    else:
        if not _listed(folder, train)[0]:
            return None
        roots = {Split.TRAIN: train}
        for name in (lower[name] for name in EVAL_NAMES if name in lower):
            if Split.EVAL in roots:
                notes.append(f"{name}/ was passed over, as {roots[Split.EVAL]}/ is the test set")
            elif _listed(folder, name)[0]:
                roots[Split.EVAL] = name
            else:
                notes.append(f"{name}/ has no folders of classes and was passed over")
    paths = []
    for root in roots.values():
        listing, others = _listed(folder, root)
        paths += [folder / root / name for _, name in listing]
        if others:
            suffixes = ", ".join(sorted(others))
            notes.append(f"{sum(others.values())} files in {root}/ were passed over ({suffixes})")
    height, width = size or _common_size(folder, paths)
    # Colours end the search: grey images have to be looked at, all of them.
    channels = 1 if all(map(is_grey, paths)) else 3
    return Found(
        folder,
        {
            split: "*/*" if root == "." else f"{pattern_of(root)}/*/*"
            for split, root in roots.items()
        },
        {"roots": roots, "image_shape": [height, width, channels]},
        notes=tuple(notes),
    )


def open_raw(location: Path, options: Options) -> dict[Split, "FolderReader"]:
    """Returns the splits of what `find` found.

    Raises:
        DataError: a folder cannot be looked into.
    """
    return {
        Split(split): FolderReader(
            location, root, tuple(options["image_shape"]), _digest(_listed(location, root)[0])
        )
        for split, root in options["roots"].items()
    }


@dataclass(frozen=True)
class FolderReader(Reader):
    """A split in a folder with a folder for each class; `listing` is the digest of their names."""

    location: Path
    root: str
    image_shape: tuple[int, int, int]
    listing: str
    reads_anywhere = True

    def __len__(self) -> int:
        """See `Reader`."""
        return len(self._names())

    def labels(self) -> np.ndarray:
        """All labels, str[N]: the names of the folders."""
        return np.array([label for label, _ in self._names()], dtype=str)

    def read(self, start: int, stop: int) -> Examples:
        """See `Reader.read`."""
        if not 0 <= start <= stop <= len(self):
            raise out_of_range(start, stop, len(self))
        return self.take(np.arange(start, stop))

    def take(self, indices: np.ndarray) -> Examples:
        """See `Reader.take`."""
        names = self._names()
        chosen = [names[index] for index in indices]
        images = np.empty((len(chosen), *self.image_shape), np.uint8)
        for image, (_, name) in zip(images, chosen, strict=True):
            image[:] = read_picture(self.location / self.root / name, self.image_shape)
        return images, np.array([label for label, _ in chosen], dtype=str)

    def _names(self) -> _Listing:
        return _known(self.location, self.root, self.listing)


@functools.lru_cache(maxsize=4)
def _known(location: Path, root: str, digest: str) -> _Listing:
    """Returns the listing of this digest, which a process has to make only once."""
    listing, _ = _listed(location, root)
    if _digest(listing) != digest:
        raise DataError(f"{location / root}: images were added, renamed or removed")
    return listing


def _digest(listing: _Listing) -> str:
    return hashlib.sha256(repr(listing).encode("utf-8", "surrogateescape")).hexdigest()


def _listed(location: Path, root: str) -> tuple[_Listing, Counter[str]]:
    """Returns the images by class, in an order that is always the same, and what else is there."""
    found: list[tuple[str, str]] = []
    others: Counter[str] = Counter()
    place = location / root
    with disk_errors("look into", place):
        folders = [e.name for e in os.scandir(place) if e.is_dir() and e.name[0] not in "._"]
        for label in sorted(folders, key=natural_key):
            entries = [e for e in os.scandir(place / label) if e.name[0] not in "._"]
            for name in sorted(entry.name for entry in entries if not entry.is_dir()):
                suffix = os.path.splitext(name)[1].lower()
                if suffix in SUFFIXES:
                    found.append((label, f"{label}/{name}"))
                elif name != "Thumbs.db":
                    others[suffix or name] += 1
    return tuple(found), others


def _common_size(folder: Path, paths: list[Path]) -> tuple[int, int]:
    sizes = {size_of(path) for path in paths}
    smallest, largest = min(sizes, key=np.prod), max(sizes, key=np.prod)
    if len(sizes) == 1 and max(largest) <= MAX_SIDE:
        return largest
    shown = [f"{height}x{width}" for height, width in (smallest, largest)]
    what = f"{shown[0]} pixels" if len(sizes) == 1 else f"of sizes from {shown[0]} to {shown[1]}"
    raise DataError(
        f"{folder}: the images are {what}, expected one size of at most {MAX_SIDE}x{MAX_SIDE}; set "
        "IMAGE_SIZE to what they are to be resized to, as 64 or 48x64 (height x width)"
    )
