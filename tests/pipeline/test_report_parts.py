"""The parts of the report: rows, figures, galleries, and the training's events."""

import base64
import io
import math
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image as matplotlib_image

from pipeline import report_figures, report_page
from tests.pipeline.report_pages import (
    comparison,
    evidence,
    model,
    one_hot_logits,
    page,
    with_mistakes,
)


@pytest.mark.parametrize(
    ("value", "beside", "expected"),
    [
        (0.9836, None, "98.36\u202f%"),
        (0.97, 0.97, "97.00\u202f%"),
        (0.96996, 0.97, "96.996\u202f%"),
        (0.97, 0.96996, "97.000\u202f%"),
        (-0.0000001, None, "0.00\u202f%"),
        (-0.01, None, "\u22121.00\u202f%"),
        (math.nan, 0.97, "NaN"),
        (None, None, "\u2013"),
    ],
)
def test_share(value: float | None, beside: float | None, expected: str) -> None:
    assert report_page.share(value, beside) == expected


def test_number_and_size() -> None:
    assert report_page.number(-1.5e-5, ".2g") == "\u22121.5e\u221205"
    assert report_page.number(math.inf) == "inf"
    assert report_page.size(1023 * 1024) == "1023.0\u202fKiB"
    assert report_page.size(1024 * 1024) == "1.00\u202fMiB"


def test_class_rows() -> None:
    reference = model("saved_model", per_class_accuracy={"2": 1.0, "10": 0.9})
    other = model("float32", per_class_accuracy={"2": 0.8, "10": 0.95, "3": math.nan})
    shown = evidence(labels=np.array([2, 2, 10]))
    two, three, ten = report_page.class_rows(comparison(reference, other), shown)
    assert [row["label"] for row in (two, three, ten)] == ["2", "3", "10"]
    assert [row["images"] for row in (two, three, ten)] == [2, 0, 1]
    assert [cell["difference"] for cell in two["cells"]] == [0, -20]
    assert [cell["difference"] for cell in ten["cells"]] == [0, 5]
    assert [round(cell["heat"], 6) for cell in two["cells"] + ten["cells"]] == [0, 1, 0.5, 0.25]
    assert math.isnan(three["cells"][1]["difference"])
    assert three["cells"][1]["heat"] == 0


def test_confusion_matrix_is_read_from_the_overall_plot() -> None:
    def plot(*entries: dict[str, float]) -> dict:
        matrices = [{"threshold": -1e9, "entries": list(entries)}]
        return {"": {"": {"multiClassConfusionMatrixAtThresholds": {"matrices": matrices}}}}

    overall = plot(
        {"numWeightedExamples": 36.0},
        {"actualClassId": 1, "numWeightedExamples": 2.0},
        {"predictedClassId": 2, "numWeightedExamples": 3.0},
        {"actualClassId": 2, "predictedClassId": -1, "numWeightedExamples": 9.0},
    )
    plots = [((("image_class", 0),), plot({"numWeightedExamples": 1.0})), ((), overall)]
    matrix = report_figures.confusion_matrix(plots, 3)
    assert matrix.tolist() == [[36, 0, 3], [2, 0, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="no overall confusion matrix"):
        report_figures.confusion_matrix(plots[:1], 3)


def test_frequent_confusions_are_named() -> None:
    matrix = np.array([[50, 1, 0], [4, 60, 0], [2, 9, 70]])
    expected = [(2, 1, 9), (1, 0, 4), (2, 0, 2)]
    assert report_figures.frequent_confusions(matrix) == expected
    text = page(shown=evidence(confusion={"saved_model": matrix, "float32": np.eye(3)})).text
    assert "saved_model : most often 2 taken for 1 (9\u00d7), 1 taken for 0 (4\u00d7)" in text
    assert "float32 : no mistakes." in text


def test_confusion_figure_follows_the_page_and_shows_counts() -> None:
    svg = report_figures.draw_confusion(np.array([[7, 11], [0, 0]]), "Confusion of <x>")
    assert 'aria-label="Confusion of &lt;x&gt;"' in svg
    assert "var(--ink)" in svg
    assert not re.search("#0([1-5])0\\1", svg)
    assert re.findall(r">(\d+)</text>", svg)[-2:] == ["7", "11"]
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", svg).replace("<!DOCTYPE", "")


def test_mistakes_come_surest_first_and_are_capped() -> None:
    logits = with_mistakes({3: (5, 0.6), 8: (1, 0.99), 20: (7, 0.8)})
    shown = evidence(logits={"saved_model": logits, "float32": logits})
    assert report_page.mistakes(shown, "saved_model").tolist() == [8, 20, 3]
    text = page(shown=shown).text
    assert "saved_model gets 3 of 40 eval images wrong, the most confident first." in text
    assert "label 8 model says probability saved_model 1 99.00 % float32 1 99.00 %" in text
    assert "None: the models name the same class" in text

    logits = one_hot_logits((shown.labels + 1) % 10, 10)
    found = page(shown=evidence(logits={"saved_model": logits, "float32": logits}))
    assert found.tags["img"] == report_page.GALLERY_SIZE == 24
    assert "gets 40 of 40 eval images wrong; here are 24 of them" in found.text


def test_disagreements_come_with_their_logits() -> None:
    other = with_mistakes({2: (9, 0.6), 4: (7, 0.99)})
    shown = evidence(logits={"saved_model": evidence().logits["saved_model"], "float32": other})
    assert report_page.disagreements(shown, "saved_model").tolist() == [4, 2]
    text = page(shown=shown).text
    assert "None: saved_model gets every eval image right." in text
    assert "The models disagree on 2 of 40 eval images, those" in text
    logits = [shown.logits[name][4, [4, 7]] for name in ("saved_model", "float32")]
    (a, b), (c, d) = [[f"{value:.4f}".replace("-", "\u2212") for value in row] for row in logits]
    assert f"logit of 4 logit of 7 saved_model 4 {a} {b} float32 7 {c} {d}" in text


def test_probabilities_of_logits_that_do_not_add_up() -> None:
    found = report_page.probabilities(np.array([[1000.0, 1000.0], [0.0, math.log(3)]]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.25, 0.75]])


def test_missing_events_are_said(tmp_path: Path) -> None:
    assert report_figures.read_scalars(str(tmp_path / "none")) == {}
    assert report_figures.read_scalars(str(tmp_path)) == {}
    found = page(shown=evidence(scalars={}))
    assert "The training left no TensorBoard events" in found.text
    assert found.tags["svg"] == 2


def test_every_epoch_is_read_from_the_events(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for epoch in range(1, 31):
            tf.summary.scalar("train_loss", 1 / epoch, step=epoch)
        tf.summary.scalar("validation_accuracy", 0.5, step=1)
        tf.summary.text("note", ["no", "scalar"], step=1)
    scalars = report_figures.read_scalars(str(tmp_path))
    assert scalars.keys() == {"train_loss", "validation_accuracy"}
    assert [epoch for epoch, _ in scalars["train_loss"]] == list(range(1, 31))
    np.testing.assert_allclose([v for _, v in scalars["train_loss"]], 1 / np.arange(1, 31))
    assert scalars["validation_accuracy"] == [(1, 0.5)]


def test_picture_is_the_image() -> None:
    pixels = np.linspace(0.2, 0.7, 784, dtype=np.float32)
    head, data = report_figures.picture(pixels, (28, 28)).split(",")
    assert head == "data:image/png;base64"
    decoded = matplotlib_image.imread(io.BytesIO(base64.b64decode(data)))[..., 0]
    np.testing.assert_allclose(decoded.reshape(-1), pixels, atol=2 / 255)
