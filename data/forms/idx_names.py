"""The names that IDX files have, of MNIST and of the data sets that followed it."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from data.splits import Split

# MNIST's own names, in the order train images, train labels, eval images, eval labels.
FILE_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
IMAGES, LABELS = "images", "labels"
_GZIP = ".gz"
_NAME = re.compile(
    r"(?P<set>.*?)(?P<split>train(ing)?|t10k|test(ing)?|val(id(ation)?)?|eval)"
    r"[-_.](?P<kind>image|img|label)s?([-_.]idx\d?)?([-_.](ubyte|byte|short|int))?",
    re.IGNORECASE,
)
Role = tuple[Split, str]  # a split, and IMAGES or LABELS
# For each set of a folder, as "emnist-letters-", the paths that each role may be read from.
Sets = dict[str, dict[Role, list[Path]]]


def role_of(name: str) -> tuple[str, Role] | None:
    """Returns the set and the role that a file's name tells, or None."""
    match = _NAME.fullmatch(name.removesuffix(_GZIP))
    if not match:
        return None
    split = Split.TRAIN if match["split"].lower().startswith("train") else Split.EVAL
    kind = LABELS if match["kind"].lower() == "label" else IMAGES
    return match["set"], (split, kind)


def spellings(name: str) -> list[str]:
    """The names that a file for one of FILE_NAMES may have, best first: plain, then .gz.

    torchvision leaves both the .gz and the unpacked file; the unpacked one is quicker to read.
    """
    variants = name, re.sub(r"-(idx\d-ubyte)$", r".\1", name)
    return [variant + suffix for suffix in ("", _GZIP) for variant in variants]


def existing(folder: Path, name: str) -> Path:
    """Returns the file of this name, plain or gzipped; the plain one where there is neither."""
    plain, packed = folder / name, folder / (name + _GZIP)
    return packed if not os.path.lexists(plain) and packed.exists() else plain


def sets_in(paths: Iterable[Path]) -> Sets:
    """Groups paths by what their names tell; of each role, what is best to read comes first."""
    sets: Sets = {}
    for path in sorted(paths, key=_by_preference):
        if told := role_of(path.name):
            name, role = told
            # Archives are often unpacked into a folder of the file's name.
            inner = path / path.name.removesuffix(_GZIP)
            found = inner if path.is_dir() and inner.is_file() else path
            sets.setdefault(name, {}).setdefault(role, []).append(found)
    return sets


def missing_name(set_name: str, role: Role) -> str:
    """Returns what a file that is not there would be called."""
    roles = [(split, kind) for split in (Split.TRAIN, Split.EVAL) for kind in (IMAGES, LABELS)]
    name = FILE_NAMES[roles.index(role)]
    return set_name + (name.replace("t10k", "test") if set_name else name)


def _by_preference(path: Path) -> tuple[bool, bool, bool, str]:
    is_validation = re.search("val", path.name, re.IGNORECASE) is not None
    return not path.is_file(), is_validation, path.name.endswith(_GZIP), path.name
