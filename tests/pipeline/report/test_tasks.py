"""The page of tasks that are not digits."""

import re

import numpy as np
import pytest

from pipeline.report import rendering
from pipeline.verdict.checks import Check
from pipeline.verdict.judge import refuse
from pipeline.verdict.measured import Refused
from pipeline.verdict.verdict import Metrics
from tests.support.report import whole_pages
from tests.support.report.report_pages import Page, evidence, model, page, verdict


@pytest.fixture(scope="module")
def fruit() -> str:
    """The page of three classes of 20x30, of which one has no test image."""
    return whole_pages.three_grey()


def test_no_digits_are_spoken_of(fruit: str) -> None:
    text = Page(fruit).text
    assert "Model comparison on Fruit <small>" in text
    assert not re.search(r"digit|MNIST(?! from the disk)", text)


def test_names_of_classes_are_shown_and_their_markup_is_text(fruit: str) -> None:
    found = Page(fruit)
    assert found.tags["b"] == found.text.count("label ")  # those of the cards alone
    assert "Äpfel & <b>Birnen</b> 15" in found.text  # in the table of classes
    assert "label $x$ 葉" in found.text
    assert "logit of $x$ 葉" in found.text


def test_a_class_without_images_is_said(fruit: str) -> None:
    text = Page(fruit).text
    assert "There is no test image of a rather long n…thout an image: nothing is known" in text
    assert "About the data. No test image is of a class." in text


def test_given_parameters_are_said(fruit: str) -> None:
    text = Page(fruit).text
    assert "One network, whose trained parameters were given, and exported as 6 models" in text
    assert "Network own.py Parameters given, from /data/trained/params : nothing was" in text
    assert "Epochs" not in text
    assert "make run DATASET='<folder of fruit>' MODEL=own.py PARAMS=/data/trained/params" in text


def test_what_few_images_do_not_tell_is_a_verdict_of_its_own(fruit: str) -> None:
    text = Page(fruit).text
    found = "agreement with the reference: 90.00 % (27 of 30 images), at least 99.50 %"
    assert f"int8, not enough images to tell: {found}" in text
    assert f"? not enough images to tell {found} pushed to device/17" in text
    assert "? 90.00 % too few images: ≥ 99.50 %" in text
    assert "It is not held against the model." in text
    assert "It is not held against" not in page().text


def test_particulars_of_conversions_are_listed(fruit: str) -> None:
    expected = "int8 XNNPACK leaves to TFLite's own kernels: MEAN (pool); SUM (norm/1, norm/2)"
    assert f"Particulars of the conversions {expected}" in Page(fruit).text
    assert "Particulars" not in page().text


def test_a_hundred_classes_in_colours() -> None:
    html = whole_pages.hundred_in_colours()
    found = Page(html)
    assert "32 \u00d7 32 pixels, in colours Classes 100" in found.text
    assert "The worst classes come first." in found.text
    assert found.text.count("Shown are the 20 classes of 100 that are confused most.") == 4
    assert len(html) < 1e6


@pytest.mark.parametrize(
    ("num_classes", "images", "shape"),
    [(1, 10, (28, 28, 1)), (2, 10, (5, 3, 1)), (100, 10, (32, 32, 3)), (3, 1, (224, 9, 3))],
)
def test_a_handful_of_images_of_any_number_of_classes(
    num_classes: int, images: int, shape: tuple[int, int, int]
) -> None:
    names = tuple(f"class {label}" for label in range(num_classes))
    text = Page(whole_pages.page_of(np.arange(images) % num_classes, names, shape)).text
    missing = max(0, num_classes - images)
    assert ("There is no test image of class" in text) == bool(missing)
    assert (f"and {missing - 20} more: nothing is known" in text) == (missing > 20)


def test_images_of_many_pixels_are_not_shown_pixel_by_pixel() -> None:
    for shape, is_small in (((28, 28, 1), True), ((224, 224, 1), False)):
        html = whole_pages.page_of(np.arange(400) % 10, tuple("0123456789"), shape)
        assert ('class="small"' in html) == is_small


def test_a_network_that_did_not_learn_is_said_once_and_first() -> None:
    """And of its models nothing but that; a variant that was refused keeps its reason."""
    checks = (Check("min_learned_accuracy", 0.08, 0.104), Check("min_agreement", 0.5, 0.999))
    models = [
        model(name, checks=checks, metrics=Metrics(0.11, 2.3), pushed_to=None)
        for name in ("saved_model", "float32")
    ]
    refused = refuse(Refused("int8", None, "there is no kernel"))
    html = rendering.render(verdict(*models, refused), evidence())
    text = Page(html).text
    assert text.count("The network did not learn: it gets 11.00 % of the test images right") == 1
    assert "None of 3 models was pushed. int8 not pushed: refused: there is no kernel" in text
    assert "float32 not pushed" not in text
    assert "✗ failed the network did not learn not pushed" in text
    assert "agreement with the reference: 50.00 %" not in text
