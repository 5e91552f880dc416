"""The section on other runtimes."""

import dataclasses

import numpy as np
import pytest

from pipeline.report import runtimes
from pipeline.verdict.runtimes.compared import Difference, RuntimeMetrics
from tests.support.report.report_pages import evidence, model, page, verdict

SAME = RuntimeMetrics(256, 0.9922, 1.0, 1.0, 0, 0, None, 2.5e-6, 1.25, None)
OTHER = RuntimeMetrics(256, 0.98, 0.9883, 0.9961, 3, 0, 13, 2.6, 4.5, Difference(17, 7, 7, 4))
NO_JVM = "jvm needs java, which is not installed"
MODELS = (
    model("saved_model"),
    model("float32", runtimes={"xnnpack": SAME, "wasm": SAME}, runtimes_not_run={"jvm": NO_JVM}),
    model(
        "int8_io",
        runtimes={"xnnpack": SAME, "tflm": OTHER},
        runtimes_not_run={"wasm": "wasm cannot run this file: no int8", "jvm": NO_JVM},
    ),
)


def shown_images() -> dict[int, np.ndarray]:
    return {row: np.full(784, row / 40, np.float32) for row in range(40)}


def test_there_is_no_section_where_none_was_asked() -> None:
    found = page()
    assert "Runtimes" not in found.text and found.ids["runtimes"] == 0


def test_models_by_runtimes() -> None:
    found = page(verdict(*MODELS), evidence(images=shown_images()))
    assert found.ids["runtimes"] == 1
    assert "on 256 test images" in found.text
    for said in (
        "xnnpack LiteRT with XNNPACK, as shipped",
        "float32 100.00 % 99.22 % right 1.25 ms",
        "98.83 % 98.00 % right 13 steps 4.50 ms",
        "2.5e\u221206",
        "number 17, label 7",
        "4 tflm of int8_io XNNPACK: 7",
        f"Not run {NO_JVM} int8_io wasm cannot run this file: no int8",
    ):
        assert said in found.text, said
    assert found.tags["img"] == 1


def test_columns_are_those_that_ran_anything() -> None:
    table = runtimes.table(verdict(*MODELS), shown_images())
    assert list(table.titles) == ["xnnpack", "tflm", "wasm"]
    assert table.rows == {"float32": [SAME, None, SAME], "int8_io": [SAME, OTHER, None]}
    assert runtimes.image_rows(verdict(*MODELS).models) == [17]


def test_where_nothing_ran_the_reasons_are_told() -> None:
    odd = model("float32", runtimes_not_run={"xnnpack": "xnnpack crashed over this file"})
    text = page(verdict(model("saved_model"), odd), evidence(("saved_model",))).text
    assert "xnnpack crashed over this file" in text


@pytest.mark.parametrize(
    ("steps", "name", "expected"),
    [(1, "tflm", "1 step"), (0, "tflm", "0 steps"), (None, "tflm", "2.6"), (4, "xnnpack", None)],
)
def test_how_far_they_are(steps: int | None, name: str, expected: str | None) -> None:
    found = dataclasses.replace(OTHER, max_step_difference=steps)
    assert runtimes.furthest(found, name) == expected
