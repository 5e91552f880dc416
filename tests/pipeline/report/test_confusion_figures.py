"""The confusion matrices of the report, of two classes and of a hundred."""

import re

import numpy as np
import pytest

from pipeline.report import confusion
from tests.support.report.report_pages import evidence, model, page, verdict


def test_frequent_confusions_are_named() -> None:
    matrix = np.array([[50, 1, 0], [4, 60, 0], [2, 9, 70]])
    expected = [(2, 1, 9), (1, 0, 4), (2, 0, 2)]
    assert confusion.frequent(matrix) == expected
    text = page(
        verdict(model("saved_model", 3), model("float32", 3), label_names=("0", "1", "2")),
        evidence(num_classes=3, confusion={"saved_model": matrix, "float32": np.eye(3, dtype=int)}),
    ).text
    assert (
        "saved_model : 16 mistakes, most often 2 taken for 1 (9\u00d7), 1 taken for 0 (4\u00d7)"
        in text
    )
    assert "float32 : no mistakes." in text


def test_confusion_figure_follows_the_page_and_shows_counts() -> None:
    svg = confusion.draw(np.array([[7, 11], [0, 0]]), [0, 1], ("0", "1"), "Confusion of <x>")
    assert 'aria-label="Confusion of &lt;x&gt;"' in svg
    assert "var(--ink)" in svg
    assert not re.search("#0([1-5])0\\1", svg)
    assert re.findall(r">(\d+)</text>", svg)[-2:] == ["7", "11"]
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", svg).replace("<!DOCTYPE", "")


def svg_text(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


@pytest.mark.filterwarnings("error")
def test_names_of_classes_are_text_whatever_is_in_them() -> None:
    names = ("<b>bold</b>", "a$b$ & 葉", "line\nbreak", "#010101", "a name that is too long")
    svg = confusion.draw(np.eye(5, dtype=int), range(5), names, "Matrix")
    assert "<b>" not in svg
    found = svg_text(svg)
    expected = ["&lt;b&gt;bold&lt;/b&gt;", "a$b$ &amp; 葉", "line break", "a name \u2026o long"]
    for name in expected:
        assert found.count(name) == 2, found


def test_of_many_classes_the_most_confused_are_shown_with_their_counts() -> None:
    matrix = 50 * np.eye(100, dtype=np.int64)
    matrix[3, 97] = matrix[41, 3] = 7
    matrix[12, 13] = 2
    assert confusion.most_confused(matrix) == [3, 12, 13, 41, 97]
    names = tuple(f"n{label}" for label in range(100))
    [found] = confusion.confusions({"int8": matrix, "float32": matrix}, names)
    assert found.names == ["int8", "float32"]
    assert (found.num_shown, found.num_mistakes) == (5, 16)
    text = svg_text(found.figure)
    assert {"n3", "n97", "7", "2", "50"} <= set(text) and "n50" not in text
    assert "n3" not in svg_text(found.whole)  # there is no room for names
    assert {"0", "96"} <= set(svg_text(found.whole))
    matrix[:, 0] += 1
    assert len(confusion.most_confused(matrix)) == confusion.MOST_CLASSES


def test_of_many_classes_without_mistakes_there_is_the_whole_only() -> None:
    names = tuple(map(str, range(62)))
    [found] = confusion.confusions({"int8": np.eye(62, dtype=int)}, names)
    assert found.figure is None and found.whole
    html = page(verdict(label_names=names), evidence(num_classes=62))
    assert "no mistakes. All 62 classes, by their numbers" in html.text


@pytest.mark.parametrize("num_classes", [1, 2, 3, 20])
def test_few_classes_are_all_shown(num_classes: int) -> None:
    names = tuple(map(str, range(num_classes)))
    [found] = confusion.confusions({"int8": np.eye(num_classes, dtype=int)}, names)
    assert (found.num_shown, found.whole) == (num_classes, None)
    assert found.is_wide == (num_classes > 12)
    assert set(names) <= set(svg_text(found.figure))


def test_a_class_taken_for_one_that_is_not_shown_is_paler() -> None:
    """Though of those that are shown all are right."""
    matrix = 50 * np.eye(30, dtype=np.int64)
    whole = confusion._colours(matrix[:2, :2], np.array([50, 100]))[..., 3]
    assert whole[0, 0] == pytest.approx(0.4) and whole[1, 1] == pytest.approx(0.2)
