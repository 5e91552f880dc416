"""The rows of the report's tables: checks and classes, with a column for each model."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from pipeline.report import formatting
from pipeline.report.confusion import MOST_CLASSES
from pipeline.verdict.chance import accuracy_interval
from pipeline.verdict.checks import Check
from pipeline.verdict.verdict import JudgedModel

# Of a class with fewer, one image is more than a point.
_FEW_IMAGES = 100
_FAINTEST_SCALE = 0.005  # share: with differences this small, none is shown in full colour


@dataclasses.dataclass(frozen=True)
class CheckRow:
    """A check, and what it found for each model.

    Attributes:
      name: of the check.
      title: what is measured; "" for a check that the page does not know.
      suffix: what values and limits do not say of their unit.
      cells: the check of each model; None for a model that does not have it.
    """

    name: str
    title: str
    suffix: str
    cells: list[Check | None]


@dataclasses.dataclass(frozen=True)
class ClassRow:
    """A class: the reference's accuracy on it, and how much each other model differs.

    Attributes:
      label: of the class; "all" for all images.
      images: number of images of the class.
      accuracy: the reference's, a share in [0, 1].
      interval: around it, where the images are few; else None.
      differences: of the other models, as shares; negative where they are worse.
      heats: how strongly to colour each difference, in [-1, 1] and of the same sign.
    """

    label: str
    images: int
    accuracy: float
    interval: tuple[float, float] | None
    differences: list[float]
    heats: list[float]


def check_rows(models: Sequence[JudgedModel]) -> list[CheckRow]:
    """Returns a row for each check that any model has, in the order in which they are known."""
    by_model = [{check.name: check for check in model.checks} for model in models]
    present = {name: check for checks in by_model for name, check in checks.items()}
    names = [name for name in formatting.TITLES if name in present]
    names += [name for name in present if name not in formatting.TITLES]
    return [
        CheckRow(
            name,
            formatting.TITLES.get(name, ""),
            formatting.suffix(present[name]),
            [checks.get(name) for checks in by_model],
        )
        for name in names
    ]


def class_rows(models: Sequence[JudgedModel], reference: str, labels: np.ndarray) -> list[ClassRow]:
    """Returns a row for all images and one for each class of which there are any.

    They are in the order of the classes or, where these are many, the worst first.

    Args:
      models: of comparison.json.
      reference: the name of the model whose accuracy the others' are compared with.
      labels: int64[N] of the images.
    """
    accuracies = {
        model.name: {}
        if model.refused
        else {"all": model.metrics.accuracy, **model.per_class_accuracy}
        for model in models
    }
    expected = accuracies.pop(reference)
    classes = {label for values in (expected, *accuracies.values()) for label in values} - {"all"}
    rows = []
    order = sorted(classes, key=int)
    if len(order) > MOST_CLASSES:
        order.sort(key=lambda label: expected.get(label, math.inf))
    for label in ("all", *order):
        accuracy = expected.get(label, math.nan)
        # Metrics come as float32, so that equal shares may differ in the eighth digit.
        differences = [
            round(values.get(label, math.nan) - accuracy, 6) for values in accuracies.values()
        ]
        images = len(labels) if label == "all" else int(np.count_nonzero(labels == int(label)))
        interval = None
        if images < _FEW_IMAGES and math.isfinite(accuracy):
            interval = accuracy_interval(round(accuracy * images), images) if images else None
        rows.append(ClassRow(label, images, accuracy, interval, differences, []))
    strongest = max(
        (abs(value) for row in rows for value in row.differences if math.isfinite(value)),
        default=0,
    )
    scale = max(strongest, _FAINTEST_SCALE)
    return [
        dataclasses.replace(
            row, heats=[0 if math.isnan(value) else value / scale for value in row.differences]
        )
        for row in rows
    ]
