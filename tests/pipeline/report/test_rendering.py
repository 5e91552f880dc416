"""The report page: what it says, that it stands alone, and that odd runs do not break it."""

import math
import re

import markupsafe
import numpy as np
import pytest

from pipeline.report import rendering
from pipeline.verdict.checks import Check
from pipeline.verdict.judge import refuse
from pipeline.verdict.measured import Refused
from pipeline.verdict.verdict import HardMetrics, Metrics
from tests.support.report.report_pages import (
    GRAPH,
    SIX,
    Page,
    evidence,
    model,
    one_hot_logits,
    page,
    verdict,
    with_mistakes,
)


def test_page_loads_nothing_and_ids_are_its_own() -> None:
    logits = with_mistakes({3: (5, 0.9)})
    shown = evidence(logits={"saved_model": logits, "float32": logits})
    html = rendering.render(verdict(), shown)
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
    shown = evidence(SIX, confusion={name: np.eye(10, dtype=int) * i for i, name in enumerate(SIX)})
    found = page(verdict(*map(model, SIX)), shown)
    assert found.tags["svg"] == len(SIX) + 2  # confusion matrices, curves
    for name in SIX:
        assert found.text.count(name) >= 4  # title, verdict, models, confusion matrix
    for text in (
        "3.16 MiB 100.0 %",
        "98.50 % 98.24\u201398.72 % 91.20 %",
        "0.0651 0.3125",
        "99.95 % 98.70 %",
        "1.5e\u221205",
        "1,202 / 1,370 2,803 / 3,004",
        "weights in float16",
        "pushed to device/17",
    ):
        assert text in found.text
    assert "tfx 1.21.0, jax 0.10.2" in found.text
    assert "train 0.1000, validation 0.2000" in found.text
    assert "validation 98.76%" in found.text


def test_latency_without_xnnpack_is_for_models_that_have_it() -> None:
    text = page(verdict(model("saved_model")), evidence(("saved_model",))).text
    assert "1,202 / 1,370 \u2713" in text


def test_size_is_compared_with_the_reference() -> None:
    small = model("int8", bytes=3_313_536 // 4)
    text = page(verdict(model("saved_model"), small), evidence(("saved_model", "int8"))).text
    assert "809.0 KiB 25.0 %" in text


def test_rendering_repeats_exactly() -> None:
    assert rendering.render(verdict(), evidence()) == rendering.render(verdict(), evidence())


def test_markup_in_names_is_text() -> None:
    name = "<script>alert('x')</script>\"&"
    shown = evidence(("saved_model", name), data_source=name)
    found = page(verdict(model("saved_model"), model(name, pushed_to=name)), shown)
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
    text = page(verdict(*models), evidence(names)).text
    assert "Every model passed its checks and was pushed" in text
    assert "saved_model pushed to /srv/server/17 float32, int8 pushed to /srv/device/17" in text


def test_verdict_of_failed_checks_has_value_and_limit() -> None:
    checks = [
        Check("evaluator_blessing", 0, 1),
        Check("min_accuracy", 0.985, 0.97),
        Check("max_class_accuracy_drop", 0.027, 0.005),
        Check("max_latency_us", 1234.5, 800),
    ]
    failed = model("float32", checks=checks, pushed_to=None)
    text = page(verdict(model("saved_model"), failed)).text
    assert "1 of 2 models was pushed" in text
    reasons = (
        "blessing by TFX's Evaluator: no, must be yes; accuracy lost in the worst class: "
        "2.70 points, at most 0.50 points; time of one image: 1234 µs, at most 800 µs"
    )
    assert f"float32 not pushed: {reasons}" in text
    assert f"\u2717 failed {reasons} not pushed" in text


def test_checks_have_a_row_each_and_a_column_for_each_model() -> None:
    checks = [
        Check("evaluator_blessing", 0, 1),
        Check("min_agreement", 0.998, 0.999),
        Check("max_bytes", 836_120, 900_000),
    ]
    text = page(verdict(model("saved_model"), model("float32", checks=checks))).text
    assert "Check saved_ model float32 blessing" in text
    assert "evaluator_ blessing yes must be yes \u2717 no failed: must be yes" in text
    assert "accuracy on the test set min_ accuracy 98.50 % \u2265 97.00 % \u2013" in text
    assert "min_ agreement \u2013 \u2717 99.80 % failed: \u2265 99.90 %" in text
    assert "size max_ bytes \u2013 816.52 KiB \u2264 878.91 KiB" in text


def test_verdict_of_a_blessed_model_that_was_not_pushed() -> None:
    text = page(verdict(model("saved_model", pushed_to=None)), evidence(("saved_model",))).text
    assert "None of 1 models was pushed" in text
    assert "saved_model not pushed: its checks passed, but its pusher wrote nothing" in text


def test_nan_is_shown_as_such() -> None:
    broken = model(
        "float32",
        metrics=Metrics(math.nan, math.nan),
        hard=HardMetrics(math.nan, math.nan, math.nan),
        per_class_accuracy={"0": math.nan},
        max_abs_logit_difference=math.nan,
        checks=(Check("min_accuracy", math.nan, 0.97),),
        pushed_to=None,
    )
    logits = np.full((40, 10), np.nan, np.float32)
    good = evidence().logits["saved_model"]
    scalars = {"train_loss": [(1, math.nan), (2, math.nan)], "validation_accuracy": [(1, 0.5)]}
    shown = evidence(logits={"saved_model": good, "float32": logits}, scalars=scalars)
    text = page(verdict(model("saved_model"), broken), shown).text
    assert "accuracy on the test set: NaN, at least 97.00 %" in text
    assert "0 4 100.00 % 51.01\u2013100.00 % NaN 1 4" in text
    assert "train NaN" in text


@pytest.mark.parametrize(("num_models", "num_classes"), [(7, 62), (1, 2)])
def test_many_and_few_models_and_classes(num_models: int, num_classes: int) -> None:
    names = ("saved_model", *(f"variant_{row}" for row in range(num_models - 1)))
    shown = evidence(names, num_classes=num_classes)
    wrong = one_hot_logits((shown.labels + 1) % num_classes, num_classes)
    shown = evidence(names, num_classes=num_classes, logits=dict.fromkeys(names, wrong))
    judged = verdict(
        *(model(name, num_classes) for name in names),
        label_names=tuple(map(str, range(num_classes))),
    )
    html = rendering.render(judged, shown)
    found = Page(html)
    assert len(html) < 1.5e6
    assert found.tags["svg"] == 1 + 2  # they share their confusion matrix
    assert f"{', '.join(names)} : no mistakes." in found.text
    assert html.count('<td class="number heat') == (num_models - 1) * (num_classes + 1)


def test_worse_and_better_classes_are_told_apart() -> None:
    other = model("float32", per_class_accuracy={"0": 0.9, "1": 1.0, "2": 0.998})
    html = rendering.render(verdict(model("saved_model"), other), evidence())
    assert re.findall(r'heat worse" style="--heat: ([\d.]+)">(.*?)<', html) == [
        ("1.000", "\u221210.00")
    ]
    assert re.findall(r'heat better" style="--heat: ([\d.]+)">(.*?)<', html) == [("0.010", "+0.10")]


def test_pipeline_is_shown_with_the_times_that_are_known() -> None:
    html = rendering.render(verdict(), evidence())
    assert html.count('class="step cached"') == 1
    assert html.count('class="step') == len(GRAPH)
    assert html.count('class="bar" style="width: 100.0%"') == 1
    text = Page(html).text
    assert "They took 316 s in all; 1 of them, dashed, came from the cache" in text
    assert "Pusher, Pusher.device, Report had not finished when this page was written." in text
    assert "Evaluator int8 after Quantizer. int8 Pusher after Evaluator Comparison < 0.1 s" in text
    assert "ExampleGen \u2013 3.7 s, cached Trainer ExampleGen 312 s" in text
    assert "Comparison Evaluator, Evaluator.int8 < 0.1 s Pusher Evaluator \u2013" in text
    assert "Their times are not known here." in page(shown=evidence(times={})).text
    assert "graph is not known here." in page(shown=evidence(graph={})).text


def test_a_refused_model_is_shown_with_its_reason_and_dashes() -> None:
    reason = "TFLite's converter failed: no kernel for <tfl.transpose>"
    refused = refuse(Refused("int8", None, reason))
    html = rendering.render(verdict(model("saved_model"), refused), evidence(("saved_model",)))
    assert html.count(f"refused: {markupsafe.escape(reason)}") == 2  # verdict and table
    assert "1 of 2 models was pushed" in html
    assert not re.search(r">\s*(NaN|None)\s*<", html)
