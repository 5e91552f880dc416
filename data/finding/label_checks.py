"""Whether labels are classes, and what a user should know about them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.errors import DataError
from data.forms.layout import MAX_CLASSES
from data.forms.reader import Label
from data.splits import Split

FEW_EXAMPLES = 100
_IGNORE = 255  # how label images mark what no class is meant for
_RARE = 10  # times rarer than the other classes
_SHOWN = 5


def check_are_classes(location: Path, values: Sequence[Label]) -> None:
    """Raises DataError when there are more different labels than classes can be."""
    if len(values) > MAX_CLASSES:
        raise DataError(
            f"{location}: there are {len(values):,} different labels ({_few(values)}), expected at "
            f"most {MAX_CLASSES:,} classes; are these labels classes, or are they numbers to "
            "predict or names of files?"
        )


def check_within(location: Path, values: Sequence[Label], known: Sequence[Label]) -> None:
    """Raises DataError when there are labels that are not known."""
    if wrong := [value for value in values if value not in known]:
        raise DataError(
            f"{location}: label {wrong[0]} is out of range, expected {known[0]} to {known[-1]}; "
            f"correct the labels ({len(wrong)} different ones are wrong)"
        )


def notes(
    values: Sequence[Label], names: Sequence[str], counts: Mapping[Split, Sequence[int]]
) -> list[str]:
    """Returns what a user should know, a sentence each.

    Args:
        values: the labels as they stand in the files.
        names: of the classes.
        counts: how many examples of each class there are.
    """
    train, test = counts[Split.TRAIN], counts[Split.EVAL]
    said = []
    numbers = [value for value in values if isinstance(value, int)]
    if numbers and numbers != list(range(len(values))):
        said.append(f"labels {_few(values)} became classes {_few(range(len(values)))}")
    if sum(1 for count in train if count) == 1:
        said.append(
            "all training images are of a single class, so that any result, 100% too, means nothing"
        )
    for of_class, where in ((train, "training"), (test, "test")):
        missing = [name for name, count in zip(names, of_class, strict=True) if not count]
        if missing and len(missing) < len(names):
            classes = "class" if len(missing) == 1 else "classes"
            effect = "cannot be learnt" if where == "training" else "cannot be judged"
            said.append(f"there is no {where} image of {classes} {_few(missing)}: {effect}")
    if sum(train) < FEW_EXAMPLES:
        said.append(f"there are only {sum(train)} training images, too few to learn much from")
    if sum(test) < FEW_EXAMPLES:
        said.append(f"there are only {sum(test)} test images, too few for a reliable accuracy")
    if _IGNORE in values and len(values) > 1:
        count = train[list(values).index(_IGNORE)]
        others = [n for value, n in zip(values, train, strict=True) if value != _IGNORE]
        if count * _RARE <= sum(others) / len(others):
            said.append(
                f"label {_IGNORE} is a class with {count} training images; if it means 'ignore', "
                "leave these images out"
            )
    return said


def _few(values: Sequence[Label]) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN])
    return shown + (f", ... {values[-1]}" if len(values) > _SHOWN else "")
