"""All forms: which of them a path holds, and its splits as another process opens them again."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType

from data.errors import DataError, disk_errors
from data.forms import cifar, idx_files, image_folder
from data.forms.held_out import hold_out
from data.forms.idx_names import role_of
from data.forms.reader import Found, Options, Reader
from data.forms.tables import csv_table, npz
from data.forms.views import Numbered, Resized
from data.splits import Split

FORMS: Mapping[str, ModuleType] = {
    "idx": idx_files,
    "cifar": cifar,
    "npz": npz,
    "csv": csv_table,
    "image_folder": image_folder,
}
NEED = (
    f"{idx_files.NEED}; folders of images by class (train/CLASS/*.png and test/CLASS/*.png); .npz "
    "with x_train, y_train, x_test, y_test; CSV with a label and pixels in each row; or CIFAR's "
    ".bin files"
)
_DEPTH = 2  # data sets are often unpacked into a folder within a folder
_MOST_FOLDERS = 1000
_MOST_PARTS = 3  # train/CLASS/NAME.png
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".tar.bz2")


def find_data(path: Path, size: tuple[int, int] | None) -> tuple[str, Found]:
    """Returns the form and place of the data set at `path`, or up to two folders below it.

    Args:
        path: of a folder or file.
        size: height and width that all images are to have; None for their own.

    Raises:
        DataError: there is none, or more than one, or it is not whole.
    """
    with disk_errors("look into", path):
        if not path.exists():
            raise DataError(f"{path}: no such folder; expected {NEED}")
        if not path.is_dir():
            return _find_file(path)
        if not any(path.iterdir()):
            raise DataError(f"{path}: the folder is empty; expected {NEED}")
    level, errors = [path], []
    for _ in range(_DEPTH + 1):
        found = []
        for folder in level:
            try:
                found += _find_in(folder, size)
            except DataError as error:
                errors.append(error)
                if folder == path:
                    raise
        if len(found) > 1:
            places = " and ".join(str(one.location) for _, one in found[:2])
            raise DataError(
                f"{path}: holds {len(found)} data sets, {places}; give one of these folders"
            )
        if found:
            return found[0]
        level = _folders_in(level)
    if errors:
        raise errors[0]
    raise DataError(f"{path}: {_instead(path)}; expected {NEED}")


def open_splits(location: Path, form: str, options: Options) -> dict[Split, Reader]:
    """Returns the readers of both splits, whose labels are int64, 0 to classes - 1.

    Args:
        location: the folder that all files are below.
        form: one of FORMS.
        options: of `Found`, and "labels", the values that become 0, 1, ...; perhaps "held_out",
            the seed of a test set that is made; perhaps "size", a height and width.

    Raises:
        DataError: a file is missing or damaged.
    """
    readers = open_unnumbered(location, form, options)
    return {split: Numbered(reader, tuple(options["labels"])) for split, reader in readers.items()}


def open_unnumbered(location: Path, form: str, options: Options) -> dict[Split, Reader]:
    """Returns the same with the labels as they stand in the files, and without "labels"."""
    readers: dict[Split, Reader] = FORMS[form].open_raw(location, options)
    if "held_out" in options:
        readers = hold_out(readers[Split.TRAIN], options["held_out"])
    if "size" in options:
        height, width = options["size"]
        readers = {s: Resized(reader, height, width) for s, reader in readers.items()}
    return readers


def may_belong(path: str) -> bool:
    """Whether a file of this path below a data set's folder may be one of the data set's."""
    parts = PurePosixPath(path)
    is_deep = len(parts.parts) > _DEPTH + _MOST_PARTS
    suffixes = (*image_folder.SUFFIXES, ".npz", ".csv", ".csv.gz", ".bin")
    is_named = role_of(parts.name) is not None or parts.name in cifar.NAMES_FILES
    return not is_deep and (is_named or parts.name.lower().endswith(suffixes))


def _find_in(folder: Path, size: tuple[int, int] | None) -> list[tuple[str, Found]]:
    """Returns what is right in a folder: the first form that finds itself."""
    for form, module in FORMS.items():
        find: Callable[[Path], Found | None] = module.find
        if module is image_folder:
            find = functools.partial(image_folder.find, size=size)
        if found := find(folder):
            return [(form, found)]
    return []


def _find_file(path: Path) -> tuple[str, Found]:
    if path.suffix == ".npz" and (found := npz.find_in(path.parent, [path])):
        return "npz", found
    if csv_table.is_csv(path) and (found := csv_table.find_in(path.parent, [path])):
        return "csv", found
    if path.name.lower().endswith(_ARCHIVES):
        raise DataError(f"{path}: is an archive; unpack it, and give the folder")
    raise DataError(
        f"{path}: not a folder, and no .npz or CSV file with images; expected {NEED}, in a folder"
    )


def _folders_in(level: list[Path]) -> list[Path]:
    return [
        folder
        for parent in level
        for folder in sorted(parent.iterdir())
        if folder.is_dir() and folder.name[0] not in "._"
    ][:_MOST_FOLDERS]


def _instead(folder: Path) -> str:
    """Says what is in a folder that holds no data set, and what would make it one."""
    names = sorted(path.name for path in folder.iterdir() if path.name[0] != ".")
    suffixes = {Path(name).suffix.lower() for name in names}
    archives = [name for name in names if name.lower().endswith(_ARCHIVES)]
    if archives:
        return f"holds the archive {archives[0]}; unpack it first"
    if suffixes & {*image_folder.SUFFIXES}:
        return "holds images, but no folder for each class; put those of each class into a folder"
    if suffixes & {".pt", ".pkl", ".pickle"}:
        return "holds pickled objects, which are never read; save the arrays with numpy.savez"
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"holds {shown or 'hidden files alone'}, in no form that is known"
