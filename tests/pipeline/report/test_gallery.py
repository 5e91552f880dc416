"""Which images the report shows, in which order, and what it says of them."""

import base64
import io
import math
import re

import numpy as np
from matplotlib import image as matplotlib_image

from pipeline.report import gallery, rendering
from tests.support.report.report_pages import (
    SIX,
    Page,
    evidence,
    model,
    one_hot_logits,
    page,
    verdict,
    with_mistakes,
)


def test_mistakes_come_surest_first_and_are_capped() -> None:
    logits = with_mistakes({3: (5, 0.6), 8: (1, 0.99), 20: (7, 0.8)})
    shown = evidence(logits={"saved_model": logits, "float32": logits})
    assert gallery.mistakes(logits, shown.labels).tolist() == [8, 20, 3]
    text = page(shown=shown).text
    assert "saved_model gets 3 of 40 test images wrong, the most confident first." in text
    assert "label 8 1 all models 99.00 % label 0 7 all models 80.00 %" in text
    assert "None: the models name the same class" in text

    logits = one_hot_logits((shown.labels + 1) % 10, 10)
    found = page(shown=evidence(logits={"saved_model": logits, "float32": logits}))
    assert found.tags["img"] == rendering.GALLERY_SIZE == 24
    assert "gets 40 of 40 test images wrong; here are 24 of them" in found.text
    assert "16 more" in found.text


def test_opinions_on_a_mistake_are_grouped() -> None:
    names = SIX[:4]
    sure, unsure = with_mistakes({8: (1, 0.99)}), with_mistakes({8: (1, 0.5)})
    right = evidence().logits["saved_model"]
    shown = evidence(names, logits=dict(zip(names, (sure, unsure, right, sure), strict=True)))
    text = page(verdict(*map(model, names)), shown).text
    assert (
        "label 8 1 saved_model, float32, dynamic_range 50.00 % to 99.00 % 8 float16 90.00 %"
    ) in text


def test_disagreements_start_with_those_of_most_models() -> None:
    one = with_mistakes({2: (9, 0.6), 4: (7, 0.8), 6: (1, 0.99)})
    other = with_mistakes({2: (9, 0.7)})
    logits = {"saved_model": evidence().logits["saved_model"], "float32": one, "int8": other}
    assert gallery.disagreements(logits, "saved_model").tolist() == [2, 6, 4]
    only_mistakes = dict.fromkeys(logits, one)
    assert gallery.disagreements(only_mistakes, "saved_model").size == 0


def test_disagreements_come_with_their_logits() -> None:
    other = with_mistakes({2: (9, 0.6), 4: (7, 0.99)})
    shown = evidence(logits={"saved_model": evidence().logits["saved_model"], "float32": other})
    html = rendering.render(verdict(), shown)
    assert re.findall(r'"number says bad-text">(\d)<', html) == ["7", "9"]
    text = Page(html).text
    assert "None: saved_model gets every test image right." in text
    assert "The models disagree on 2 of 40 test images, those" in text
    logits = [shown.logits[name][4, [4, 7]] for name in ("saved_model", "float32")]
    (a, b), (c, d) = [[f"{value:.4f}".replace("-", "\u2212") for value in row] for row in logits]
    assert f"logit of 4 logit of 7 saved_model 4 {a} {b} float32 7 {c} {d}" in text


def test_probabilities_of_logits_that_do_not_add_up() -> None:
    found = gallery.probabilities(np.array([[1000.0, 1000.0], [0.0, math.log(3)]]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.25, 0.75]])


def test_cards_show_the_images_of_their_rows() -> None:
    images = np.linspace(0.2, 0.7, 3 * 784, dtype=np.float32).reshape(3, 784)
    logits = {"saved_model": one_hot_logits(np.array([1, 2, 3]), 10)}
    first, second = gallery.cards(
        np.array([2, 0]), images, (28, 28, 1), np.array([1, 2, 0]), logits
    )
    assert (first.label, first.classes, first.answers[0].predicted) == (0, [0, 3], 3)
    assert (second.label, second.classes) == (1, [1])
    data = first.picture.removeprefix("data:image/png;base64,")
    decoded = matplotlib_image.imread(io.BytesIO(base64.b64decode(data)))
    np.testing.assert_allclose(decoded.reshape(-1), images[2], atol=2 / 255)
