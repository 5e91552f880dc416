"""From a path to a checked data set: everything is read once before any work starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data import dataset
from data.dataset import Dataset
from data.errors import DataError
from data.finding import label_checks
from data.finding.names import name_of
from data.forms import held_out
from data.forms.layout import natural_key
from data.forms.reader import Label, Options, Reader
from data.forms.registry import find_data, open_splits, open_unnumbered
from data.splits import Split
from data.task import MAX_SIDE, Task

Size = tuple[int, int]  # height and width
_DIM = 5
_MOST_EXAMPLES = 100_000_000  # of a split, whose labels are held in memory


@dataclass(frozen=True)
class Expected:
    """What is known of a data set before it is opened.

    Attributes:
        task: its task, with a label name for each of `values`.
        values: the labels as they stand in its files.
    """

    task: Task
    values: tuple[int, ...]


def open_data(
    path: Path,
    name: str | None = None,
    size: Size | None = None,
    expected: Expected | None = None,
    taken: frozenset[str] = frozenset(),
) -> Dataset:
    """Finds the data set at a path, and checks it completely.

    Args:
        path: of a folder or file in one of the forms, or of a folder up to two above it.
        name: of the data set; one made from where it lies if None.
        size: height and width that the images are to be resized to; None for their own.
        expected: what the data must be; None for anything.
        taken: names that it must not get from where it lies.

    Raises:
        DataError: nothing is found, or it is damaged, or contradicts itself.
    """
    path = Path(path)
    form, found = find_data(path, size)
    options: Options = dict(found.options)
    notes = list(found.notes)
    patterns = dict(found.patterns)
    if Split.EVAL not in patterns:
        options["held_out"] = held_out.SEED
        patterns[Split.EVAL] = patterns[Split.TRAIN]
        notes.append(
            "there is no test set, so a fifth of the images of each class was set aside as one, by "
            f"the seed {held_out.SEED}"
        )
    raw = open_unnumbered(found.location, form, options)
    shape = _shape(found.location, raw)
    if size and shape[:2] != size:
        options["size"] = list(size)
        shape = *size, shape[2]
    _check_size(found.location, shape)
    _check_counts(found.location, raw)
    labels = {split: np.unique(reader.labels()).tolist() for split, reader in raw.items()}
    values = tuple(sorted({*labels[Split.TRAIN], *labels[Split.EVAL]}, key=natural_key))
    if expected:
        label_checks.check_within(found.location, values, expected.values)
        values = expected.values
    label_checks.check_are_classes(found.location, values)
    options["labels"] = list(values)
    where = path if path.is_file() else found.location
    task = _task(expected, name or name_of(where, taken), shape, values, found.names)
    if size:
        task = task.resized(size)
    readers = open_splits(found.location, form, options)
    counts, digests = _read_all(found.location, readers, task)
    notes += label_checks.notes(values, task.label_names, counts)
    return Dataset(
        task=task,
        location=found.location,
        patterns=patterns,
        form=form,
        options=options,
        class_counts=counts,
        range_digests=digests,
        source=f"{task.title or task.name} from {where}",
        notes=tuple(notes),
        image_size=size,
    )


def _task(
    expected: Expected | None,
    name: str,
    shape: tuple[int, int, int],
    values: Sequence[Label],
    names: Mapping[Label, str],
) -> Task:
    if expected:
        return replace(expected.task, image_shape=shape)
    label_names = tuple(names.get(value, str(value)) for value in values)
    if len(set(label_names)) < len(label_names):
        label_names = tuple(map(str, values))
    return Task(name, shape, label_names)


def _shape(location: Path, raw: Mapping[Split, Reader]) -> tuple[int, int, int]:
    train, test = (raw[split].image_shape for split in (Split.TRAIN, Split.EVAL))
    if train != test:
        raise DataError(
            f"{location}: training images are {_shown(train)}, but test images are {_shown(test)} "
            "(height x width x channels); expected the same, so take both from one data set"
        )
    return train


def _check_size(location: Path, shape: tuple[int, int, int]) -> None:
    if not (min(shape) > 0 and max(shape[:2]) <= MAX_SIDE):
        raise DataError(
            f"{location}: the images are {_shown(shape)} (height x width x channels), expected "
            f"1x1 to {MAX_SIDE}x{MAX_SIDE} pixels; set IMAGE_SIZE to what they are to be resized "
            "to, as 64 or 48x64"
        )


def _check_counts(location: Path, raw: Mapping[Split, Reader]) -> None:
    for split, words in ((Split.TRAIN, "for training"), (Split.EVAL, "as a test")):
        if not len(raw[split]):
            raise DataError(
                f"{location}: holds no image {words}, expected at least one in each split"
            )
        if len(raw[split]) > _MOST_EXAMPLES:
            raise DataError(
                f"{location}: says that it holds {len(raw[split]):,} images {words}, expected at "
                f"most {_MOST_EXAMPLES:,}; take a part of them"
            )


def _read_all(
    location: Path, readers: Mapping[Split, Reader], task: Task
) -> tuple[dict[Split, tuple[int, ...]], dict[Split, tuple[str, ...]]]:
    """Returns how many examples each class has, and the digests of the ranges."""
    counts, digests = {}, {}
    for split in (Split.TRAIN, Split.EVAL):
        of_class, of_range = np.zeros(task.num_classes, np.int64), []
        darkest, brightest = 255, 0
        for images, labels in readers[split].parts(dataset.range_size(task)):
            of_range.append(dataset.digest_of((images, labels)))
            of_class += np.bincount(labels, minlength=task.num_classes)
            darkest, brightest = min(darkest, images.min()), max(brightest, images.max())
        counts[split], digests[split] = tuple(of_class.tolist()), tuple(of_range)
        if split == Split.TRAIN and np.count_nonzero(of_class) > 1:
            _check_pixels(location, int(darkest), int(brightest))
    return counts, digests


def _check_pixels(location: Path, darkest: int, brightest: int) -> None:
    if darkest == brightest:
        raise DataError(
            f"{location}: all pixels of all training images are {darkest}, expected images that "
            "differ; they were lost on the way, so make them again"
        )
    if brightest < _DIM:
        raise DataError(
            f"{location}: the largest pixel of all training images is {brightest}, expected up to "
            f"255; multiply the pixels by {255 // brightest}"
        )


def _shown(shape: tuple[int, int, int]) -> str:
    return "x".join(map(str, shape))
