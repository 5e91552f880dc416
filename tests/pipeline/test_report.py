"""The report page: what it says, that it stands alone, and that odd runs do not break it."""

import base64
import io
import math
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import image as matplotlib_image

from pipeline import report_figures, report_page
from pipeline.config import Limits

ADDRESSES = {"src", "srcset", "href", "xlink:href", "action", "data", "poster"}
PUSHED = "/srv/device/17"


def one_hot_logits(predicted: np.ndarray, num_classes: int, top: float = 0.9) -> np.ndarray:
    """Log-probabilities float32[N, classes] that give `predicted` the probability `top`."""
    rest = (1 - top) / (num_classes - 1)
    chosen = np.eye(num_classes, dtype=bool)[predicted]
    return np.log(np.where(chosen, top, rest)).astype(np.float32)


def check(name: str, value: float, limit: float, passed: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "passed": passed}


def model(name: str, num_classes: int = 10, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "model_type": "tf_generic" if name == "saved_model" else "tf_lite",
        "bytes": 3_313_536,
        "metrics": {"accuracy": 0.985, "loss": 0.0651},
        "per_class_accuracy": {str(label): 1 - label / 1000 for label in range(num_classes)},
        "agreement": 0.9995,
        "max_abs_logit_difference": 1.5e-5,
        "latency_us": {"batch_1": {"p50": 1202.2, "p90": 1370.5}},
        "checks": [check("evaluator_blessing", 1, 1), check("min_accuracy", 0.985, 0.97)],
        "blessed": True,
        "pushed_to": PUSHED,
    } | changes


def comparison(*models: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "reference": "saved_model",
        "models": list(models) or [model("saved_model"), model("float32")],
        "dataset": {"name": "mnist", "train_examples": 60_000, "eval_examples": 10_000},
        "seed": 3,
        "epochs": 4,
        "versions": {"tfx": "1.21.0", "jax": "0.10.2"},
    }


def evidence(names: tuple[str, ...] = ("saved_model", "float32"), **changes: Any):
    """Forty images of ten classes, all models right about all of them."""
    num_classes = changes.pop("num_classes", 10)
    labels = np.arange(4 * num_classes) % num_classes
    logits = one_hot_logits(labels, num_classes)
    fields = {
        "data_source": "MNIST from the disk",
        "is_fallback": False,
        "images": np.zeros((len(labels), 784), np.float32),
        "labels": labels,
        "logits": dict.fromkeys(names, logits),
        "confusion": dict.fromkeys(names, 4 * np.eye(num_classes, dtype=np.int64)),
        "scalars": {
            "train_loss": [(1, 0.9), (2, 0.1)],
            "validation_loss": [(1, 0.8), (2, 0.2)],
            "validation_accuracy": [(1, 0.91), (2, 0.9876)],
        },
    }
    return report_page.Evidence(**fields | changes)


class Page(HTMLParser):
    """Notes every address, id, tag and the text of a page; fails where tags do not nest."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.ids = Counter(), Counter()
        self.addresses: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = " ".join(" ".join(self.words).replace("\u202f", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in ("meta", "link", "img", "br", "wbr"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]
        self.ids.update(value for name, value in attrs if name == "id")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)


def page(content: dict[str, Any] | None = None, shown: Any = None) -> Page:
    return Page(report_page.render(content or comparison(), shown or evidence()))


def with_mistakes(wrong: dict[int, tuple[int, float]]) -> np.ndarray:
    """Logits of `evidence()` but for {row: (predicted, its probability)}."""
    logits = evidence().logits["saved_model"].copy()
    for row, (predicted, top) in wrong.items():
        logits[row] = one_hot_logits(np.array([predicted]), 10, top)[0]
    return logits


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


def test_command_makes_the_run_again() -> None:
    content = comparison(model("saved_model", checks=[check("min_accuracy", 1, 0.97)]))
    assert report_page.command(content) == "make run DATASET=mnist EPOCHS=4 SEED=3"
    content["models"][0]["checks"] = [check("min_accuracy", 1, Limits.min_accuracy / 2)]
    content["dataset"]["name"] = "my data"
    expected = "make run DATASET='<folder of my data>' EPOCHS=4 SEED=3 MIN_ACCURACY=0.485"
    assert report_page.command(content) == expected
