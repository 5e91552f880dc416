"""The report's figures, and the training's events that they show."""

import re
from pathlib import Path

import numpy as np

from pipeline.report import figures
from tests.pipeline.report.report_pages import evidence, page


def test_frequent_confusions_are_named() -> None:
    matrix = np.array([[50, 1, 0], [4, 60, 0], [2, 9, 70]])
    expected = [(2, 1, 9), (1, 0, 4), (2, 0, 2)]
    assert figures.frequent_confusions(matrix) == expected
    text = page(shown=evidence(confusion={"saved_model": matrix, "float32": np.eye(3)})).text
    assert (
        "saved_model : 16 mistakes, most often 2 taken for 1 (9\u00d7), 1 taken for 0 (4\u00d7)"
        in text
    )
    assert "float32 : no mistakes." in text


def test_confusion_figure_follows_the_page_and_shows_counts() -> None:
    svg = figures.draw_confusion(np.array([[7, 11], [0, 0]]), "Confusion of <x>")
    assert 'aria-label="Confusion of &lt;x&gt;"' in svg
    assert "var(--ink)" in svg
    assert not re.search("#0([1-5])0\\1", svg)
    assert re.findall(r">(\d+)</text>", svg)[-2:] == ["7", "11"]
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", svg).replace("<!DOCTYPE", "")


def test_missing_events_are_said(tmp_path: Path) -> None:
    assert figures.read_scalars(str(tmp_path / "none")) == {}
    assert figures.read_scalars(str(tmp_path)) == {}
    found = page(shown=evidence(scalars={}))
    assert "The training left no TensorBoard events" in found.text
    assert found.tags["svg"] == 1  # a confusion matrix


def test_every_epoch_is_read_from_the_events(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for epoch in range(1, 31):
            tf.summary.scalar("train_loss", 1 / epoch, step=epoch)
        tf.summary.scalar("validation_accuracy", 0.5, step=1)
        tf.summary.text("note", ["no", "scalar"], step=1)
    scalars = figures.read_scalars(str(tmp_path))
    assert scalars.keys() == {"train_loss", "validation_accuracy"}
    assert [epoch for epoch, _ in scalars["train_loss"]] == list(range(1, 31))
    np.testing.assert_allclose([v for _, v in scalars["train_loss"]], 1 / np.arange(1, 31))
    assert scalars["validation_accuracy"] == [(1, 0.5)]
