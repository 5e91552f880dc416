"""The report page: what it says, that it stands alone, and that odd runs do not break it."""

import math
import re

import numpy as np
import pytest

from pipeline import report_page
from pipeline.config import Limits
from tests.pipeline.report_pages import (
    Page,
    check,
    comparison,
    evidence,
    model,
    one_hot_logits,
    page,
    with_mistakes,
)


def test_page_loads_nothing_and_ids_are_its_own() -> None:
    logits = with_mistakes({3: (5, 0.9)})
    shown = evidence(logits={"saved_model": logits, "float32": logits})
    html = report_page.render(comparison(), shown)
    found = Page(html)
    assert found.tags["script"] == found.tags["iframe"] == 0
    assert found.tags["img"] == 1
    internal = [address for address in found.addresses if address.startswith("#")]
    assert internal
    assert all(found.ids[address[1:]] == 1 for address in internal)
    others = [address for address in found.addresses if not address.startswith("#")]
    assert all(address.startswith("data:") for address in others)
    assert all(inside.startswith("#") for inside in re.findall(r"url\(['\"]?(.)", html))
    assert "@import" not in html
    assert "default-src 'none'" in html
    assert max(found.ids.values()) == 1


def test_page_has_every_model_and_figure() -> None:
    names = ("saved_model", "float32", "float16", "int8")
    found = page(comparison(*map(model, names)), evidence(names))
    assert found.tags["svg"] == len(names) + 2
    for name in names:
        assert found.words.count(name) >= 3  # models, checks, classes, confusion matrix
    for text in (
        "60,000",
        "3.16 MiB",
        "98.50 %",
        "0.0651",
        "99.95 %",
        "1.5e\u221205",
        "1,202 / 1,370",
    ):
        assert text in found.text
    assert "tfx 1.21.0, jax 0.10.2" in found.text
    assert "train 0.1000, validation 0.2000" in found.text
    assert "validation 98.76%" in found.text


def test_rendering_repeats_exactly() -> None:
    assert report_page.render(comparison(), evidence()) == report_page.render(
        comparison(), evidence()
    )


def test_markup_in_names_is_text() -> None:
    name = "<script>alert('x')</script>\"&"
    shown = evidence(("saved_model", name), data_source=name)
    found = page(comparison(model("saved_model"), model(name, pushed_to=name)), shown)
    assert found.tags["script"] == 0
    assert found.text.count(name) >= 5


@pytest.mark.parametrize("is_fallback", [True, False])
def test_banner_is_for_the_fallback_only(is_fallback: bool) -> None:
    source = "offline digits (no mirror answered)"
    text = page(shown=evidence(is_fallback=is_fallback, data_source=source)).text
    assert ("This is not MNIST." in text) == is_fallback
    assert text.count(source) == 1 + is_fallback


def test_verdict_of_pushed_models() -> None:
    names = ("saved_model", "float32", "int8")
    models = [model("saved_model", pushed_to="/srv/server/17"), *map(model, names[1:])]
    text = page(comparison(*models), evidence(names)).text
    assert "Every model passed its checks and was pushed" in text
    assert "saved_model pushed to /srv/server/17 ; float32, int8 pushed to /srv/device/17 ." in text


def test_verdict_of_failed_checks_has_value_and_limit() -> None:
    checks = [
        check("evaluator_blessing", 0, 1, False),
        check("min_accuracy", 0.985, 0.97),
        check("max_class_accuracy_drop", 0.027, 0.005, False),
        check("max_latency_us", 1234.5, 800, False),
    ]
    failed = model("float32", checks=checks, blessed=False, pushed_to=None)
    text = page(comparison(model("saved_model"), failed)).text
    assert "1 of 2 models was pushed" in text
    assert (
        "float32 not pushed: TFX's Evaluator did not bless it; accuracy lost in the worst class is "
        "2.70 % (at most 0.50 % is allowed); max_latency_us is 1234 (at most 800 is allowed)."
    ) in text
    assert re.search(r"in the worst class max_[\w ]+ 2.70 % at most 0.50 % ✗", text)
    assert re.search(r"on the eval images min_[\w ]+ 98.50 % at least 97.00 % ✓", text)
    assert "not blessed blessed ✗" in text


def test_verdict_of_a_blessed_model_that_was_not_pushed() -> None:
    text = page(comparison(model("saved_model", pushed_to=None)), evidence(("saved_model",))).text
    assert "None of 1 models was pushed" in text
    assert "saved_model not pushed: its checks passed, but its pusher wrote nothing." in text


def test_nan_is_shown_as_such() -> None:
    broken = model(
        "float32",
        metrics={"accuracy": math.nan, "loss": math.nan},
        per_class_accuracy={"0": math.nan},
        max_abs_logit_difference=math.nan,
        checks=[check("min_accuracy", math.nan, 0.97, False)],
        blessed=False,
        pushed_to=None,
    )
    logits = np.full((40, 10), np.nan, np.float32)
    good = evidence().logits["saved_model"]
    scalars = {"train_loss": [(1, math.nan), (2, math.nan)], "validation_accuracy": [(1, 0.5)]}
    shown = evidence(logits={"saved_model": good, "float32": logits}, scalars=scalars)
    text = page(comparison(model("saved_model"), broken), shown).text
    assert "accuracy on the eval images is NaN (at least 97.00 % is needed)" in text
    assert "float32 0 NaN" in text
    assert "train NaN" in text


@pytest.mark.parametrize(("num_models", "num_classes"), [(7, 62), (1, 2)])
def test_many_and_few_models_and_classes(num_models: int, num_classes: int) -> None:
    names = ("saved_model", *(f"variant_{row}" for row in range(num_models - 1)))
    shown = evidence(names, num_classes=num_classes)
    wrong = one_hot_logits((shown.labels + 1) % num_classes, num_classes)
    shown = evidence(names, num_classes=num_classes, logits=dict.fromkeys(names, wrong))
    html = report_page.render(comparison(*(model(name, num_classes) for name in names)), shown)
    found = Page(html)
    assert len(html) < 1.5e6
    assert found.tags["svg"] == num_models + 2
    assert html.count('<td class="number heat"') == num_models * num_classes
    assert ('class="figure wide"' in html) == (num_classes > 20)


def test_command_makes_the_run_again() -> None:
    content = comparison(model("saved_model", checks=[check("min_accuracy", 1, 0.97)]))
    assert report_page.command(content) == "make run DATASET=mnist EPOCHS=4 SEED=3"
    content["models"][0]["checks"] = [check("min_accuracy", 1, Limits.min_accuracy / 2)]
    content["dataset"]["name"] = "my data"
    expected = "make run DATASET='<folder of my data>' EPOCHS=4 SEED=3 MIN_ACCURACY=0.485"
    assert report_page.command(content) == expected
