"""The rows of the report's tables."""

import math

import numpy as np

from pipeline.report import tables
from pipeline.verdict.chance import accuracy_interval
from pipeline.verdict.checks import Check
from tests.support.report.report_pages import model


def test_check_rows_have_a_cell_for_every_model() -> None:
    first = model("saved_model", checks=(Check("own", 1, 1), Check("evaluator_blessing", 1, 1)))
    second = model("int8", checks=(Check("min_agreement", 1, 1), Check("evaluator_blessing", 0, 1)))
    rows = tables.check_rows([first, second])
    assert [row.name for row in rows] == ["evaluator_blessing", "min_agreement", "own"]
    assert [cell and cell.value for row in rows for cell in row.cells] == [
        1,
        0,
        None,
        1,
        1,
        None,
    ]
    assert rows[1].title == "agreement with the reference"
    assert rows[2].title == ""


def _rows(*others: dict[str, float]) -> list[tables.ClassRow]:
    """Rows of a reference with 100 % of class 2 and 90 % of class 10, and of these models."""
    reference = model("saved_model", per_class_accuracy={"2": 1.0, "10": 0.9})
    models = [model(f"m{i}", per_class_accuracy=values) for i, values in enumerate(others)]
    return tables.class_rows([reference, *models], "saved_model", np.array([2, 2, 10]))


def test_class_rows_start_with_all_images_and_count_them() -> None:
    rows = _rows({"2": 0.8, "10": 0.95, "3": math.nan})
    assert [(row.label, row.images) for row in rows] == [("all", 3), ("2", 2), ("3", 0), ("10", 1)]
    assert [row.accuracy for row in rows if row.label != "3"] == [0.985, 1.0, 0.9]
    assert math.isnan(rows[2].accuracy)


def test_differences_are_to_the_reference_and_coloured_by_the_strongest() -> None:
    everything, two, three, ten = _rows({"2": 0.8, "10": 0.95, "3": math.nan}, {"2": 1.0})
    assert everything.differences == [0, 0]
    assert two.differences == [-0.2, 0]
    assert two.heats == [-1, 0]
    assert ten.differences[0] == 0.05
    assert round(ten.heats[0], 6) == 0.25
    assert math.isnan(ten.differences[1])
    assert math.isnan(three.differences[0])
    assert three.heats == [0, 0]


def test_small_differences_stay_pale_and_rounding_errors_are_none() -> None:
    _, two, ten = _rows({"2": 0.999, "10": 0.9 + 1e-8})
    assert round(two.heats[0], 6) == -0.2  # of a scale that ends at half a point
    assert (ten.differences, ten.heats) == ([0], [0])


def test_few_images_come_with_an_interval() -> None:
    reference = model("saved_model", per_class_accuracy={"0": 2 / 3, "1": 0.99})
    labels = np.array([0] * 3 + [1] * 100)
    everything, few, many = tables.class_rows([reference], "saved_model", labels)
    assert few.interval == accuracy_interval(2, 3)
    assert everything.interval is many.interval is None


def test_of_many_classes_the_worst_come_first() -> None:
    accuracies = {str(label): 0.5 + label / 50 for label in range(20)}
    labels = np.arange(21)
    for changes, first in (({}, "0"), ({"20": 0.1}, "20")):
        reference = model("saved_model", per_class_accuracy=accuracies | changes)
        rows = tables.class_rows([reference], "saved_model", labels)
        assert [row.label for row in rows[:2]] == ["all", first]
