"""CSV files of images, a row for each: a label, and the pixels row by row."""

import re
from dataclasses import dataclass
from pathlib import Path

from data.errors import DataError, disk_errors
from data.forms.decompressed import opened
from data.forms.layout import EVAL_NAMES, TRAIN_NAMES, pattern_of, square_side
from data.forms.reader import Found, Options
from data.forms.tables.csv_rows import CsvReader, rows_from, scanned
from data.splits import Split

_SUFFIX = re.compile(r"\.csv(\.gz)?", re.IGNORECASE)
_LABEL_NAMES = ("label", "labels", "class", "target", "y", "digit", "category")
_FEWEST_PIXELS = 9  # tables with fewer columns hold something else


@dataclass(frozen=True)
class _Head:
    """What the first row tells; without a label column, the images have no labels."""

    has_header: bool
    columns: int
    label_column: int | None


def find(folder: Path) -> Found | None:
    """Returns the data set of the CSV files right in `folder`, or None where none holds images.

    Raises:
        DataError: there are several data sets, or the number of pixels is that of no image.
    """
    with disk_errors("look into", folder):
        paths = sorted(p for p in folder.iterdir() if is_csv(p) and p.is_file())
    return find_in(folder, paths)


def is_csv(path: Path) -> bool:
    """Whether the name is that of a CSV file."""
    return re.search(_SUFFIX.pattern + "$", path.name, re.IGNORECASE) is not None


def find_in(folder: Path, paths: list[Path]) -> Found | None:
    """Returns the data set of these CSV files in a folder; see `find`."""
    heads = {path: head for path in paths if (head := _head(path))}
    labelled = [path for path, head in heads.items() if head.label_column is not None]
    if not labelled:
        if heads:
            raise DataError(
                f"{next(iter(heads))}: there is no column with labels; expected one named 'label', "
                "or the labels in the first column"
            )
        return None
    train = _chosen(labelled, TRAIN_NAMES)
    tests = [p for p in labelled if _words(p) & {*EVAL_NAMES}]
    rest = [p for p in labelled if p not in tests]
    if train is None and len(rest) == 1:
        [train] = rest
    if train is None:
        raise DataError(
            f"{folder}: {', '.join(path.name for path in labelled[:4])} hold images; expected one "
            "named train.csv and one named test.csv, or a single one"
        )
    files = {Split.TRAIN: train}
    if test := _chosen([p for p in tests if p != train], EVAL_NAMES):
        files[Split.EVAL] = test
    passed_over = tuple(
        f"{path.name} has no labels and was passed over"
        for path, head in heads.items()
        if head.label_column is None
    )
    options: Options = {
        "tables": {
            split: [
                path.name,
                heads[path].has_header,
                heads[path].label_column,
                list(_image_shape(path, heads[path].columns - 1)),
            ]
            for split, path in files.items()
        }
    }
    patterns = {split: pattern_of(path.name) for split, path in files.items()}
    return Found(folder, patterns, options, notes=passed_over)


def open_raw(location: Path, options: Options) -> dict[Split, CsvReader]:
    """Returns the splits of what `find` found.

    Raises:
        DataError: a file cannot be read.
    """
    return {
        Split(split): scanned(location / name, has_header, label_column, tuple(shape))
        for split, (name, has_header, label_column, shape) in options["tables"].items()
    }


def _words(path: Path) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", _SUFFIX.sub("", path.name.lower())))


def _chosen(paths: list[Path], names: tuple[str, ...]) -> Path | None:
    """Returns the only path that bears one of the names; the best name decides."""
    for name in names:
        found = [path for path in paths if name in _words(path)]
        if len(found) > 1:
            raise DataError(
                f"{found[0].parent}: {found[0].name} and {found[1].name} are both for {name}; "
                "expected one, so put each data set into a folder of its own"
            )
        if found:
            return found[0]
    return None


def _head(path: Path) -> _Head | None:
    """Returns what the first row tells, or None where this is no table of images."""
    with opened(path) as file:
        first = next(rows_from(file.stream, path), None)
    if first is None:
        return None
    fields = [field.strip() for field in first[1].split(",")]
    if len(fields) <= _FEWEST_PIXELS:
        return None
    # A label may be a name; pixels are numbers, and only the names of columns are not.
    has_header = any(not re.fullmatch(r"[-+.\deE]+", field) for field in fields[1:])
    if has_header:
        names = [field.lower() for field in fields]
        labels = [names.index(name) for name in _LABEL_NAMES if name in names]
        return _Head(True, len(fields), labels[0] if labels else None)
    is_image = _side(len(fields))[0] > 0 and not _side(len(fields) - 1)[0]
    return _Head(False, len(fields), None if is_image else 0)


def _side(pixels: int) -> tuple[int, int]:
    """Returns the side and the channels of a square image, or (0, 0)."""
    if side := square_side(pixels):
        return side, 1
    if pixels % 3 == 0 and (side := square_side(pixels // 3)):
        return side, 3
    return 0, 0


def _image_shape(path: Path, pixels: int) -> tuple[int, int, int]:
    side, channels = _side(pixels)
    if not side:
        raise DataError(
            f"{path}: there are {pixels} pixels in a row, expected those of a square, grey "
            f"({28 * 28}) or with red, green and blue for each pixel ({3 * 32 * 32}); save the "
            "images as PNG files or .npz instead"
        )
    return side, side, channels
