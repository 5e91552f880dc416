"""The Report component on artifacts as the others leave them."""

import base64
import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib import image as matplotlib_image
from tfx.types.standard_artifacts import Examples, ModelRun, PushedModel

from modules import features
from modules.examples import tf_examples as example_files
from pipeline.components.artifacts import (
    CONFUSION_FILE,
    LOGITS_FILE,
    ComparisonReport,
    ModelComparison,
)
from pipeline.components.report import Report
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.report import formatting, rendering
from pipeline.verdict.checks import Check
from pipeline.verdict.runtimes.compared import Difference, RuntimeMetrics
from pipeline.verdict.verdict import write
from tests.pipeline.small_pipeline import NAME, metadata_file, run_small_pipeline
from tests.support.report.report_pages import Page, model, one_hot_logits, verdict

NAMES = ("saved_model", "float32", "int8")


def _artifact(kind: type, folder: Path) -> Any:
    folder.mkdir(parents=True)
    artifact = kind()
    artifact.uri = str(folder)
    return artifact


def _examples(folder: Path, images: np.ndarray, labels: np.ndarray) -> Examples:
    artifact = _artifact(Examples, folder)
    artifact.split_names = '["eval"]'
    split = folder / "Split-eval"
    split.mkdir()
    with tf.io.TFRecordWriter(str(split / "data.gz"), "GZIP") as writer:
        for image, label in zip(images, labels, strict=True):
            pixels = tf.train.Feature(float_list=tf.train.FloatList(value=image))
            number = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
            feature = {features.IMAGE_FLOATS: pixels, features.IMAGE_CLASS: number}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return artifact


def _push(folder: Path, destination: str) -> PushedModel:
    push = _artifact(PushedModel, folder)
    if destination:  # a property of TFX's Pusher, which it leaves out when it does not push
        push.set_string_custom_property("pushed_destination", destination)
    return push


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """What Report takes: thirty images, the int8 model wrong about one of them and not blessed."""
    random = np.random.default_rng(0)
    examples = _examples(
        tmp_path / "examples", random.uniform(size=(30, 784)).astype(np.float32), np.arange(30) % 10
    )
    labels = np.arange(30) % 10
    wrong = labels.copy()
    wrong[7] = (labels[7] + 1) % 10
    compared = _artifact(ModelComparison, tmp_path / "comparison")
    *models, last = (model(name, pushed_to=None) for name in NAMES)
    last = dataclasses.replace(last, checks=(Check("min_accuracy", 0.9, 0.97),))
    folder = Path(compared.uri)
    write(verdict(*models, last), folder / "comparison.json")
    answers = dict(zip(NAMES, (labels, labels, wrong), strict=True))
    np.savez(folder / LOGITS_FILE, **{name: one_hot_logits(a, 10) for name, a in answers.items()})
    confusion = {name: np.zeros((10, 10), np.int64) for name in NAMES}
    for name, matrix in confusion.items():
        np.add.at(matrix, (labels, answers[name]), 1)
    np.savez(folder / CONFUSION_FILE, **confusion)
    return {
        "comparison": compared,
        "examples": examples,
        "model_run": _artifact(ModelRun, tmp_path / "model_run"),
        "server_push": _push(tmp_path / "server_push", "/srv/server/17"),
        "device_push": _push(tmp_path / "device_push", "/srv/device/17"),
        "data_source": "MNIST from the disk",
        "is_fallback": 0,
        "graph": json.dumps({"Made": [], "Report": ["Made"]}),
        "metadata_location": "",
        "pipeline_name": NAME,
        "report": _artifact(ComparisonReport, tmp_path / "report"),
    }


def _report(inputs: dict[str, Any]) -> tuple[list[str | None], str]:
    """Runs the component; returns where the models were pushed to, and the page's text."""
    Report.test_call(**inputs)
    folder = Path(inputs["report"].uri)
    assert {path.name for path in folder.iterdir()} == {"comparison.json", "index.html"}
    models = json.loads((folder / "comparison.json").read_text())["models"]
    page = Page((folder / "index.html").read_text("utf-8"))
    return [entry["pushed_to"] for entry in models], page.text


def test_report_puts_everything_together(inputs: dict[str, Any]) -> None:
    pushed_to, text = _report(inputs)
    assert pushed_to == ["/srv/server/17", "/srv/device/17", None]
    assert "2 of 3 models were pushed" in text
    assert "saved_model, float32 : no mistakes." in text
    assert "int8 : 1 mistake, most often" in text
    assert "The models disagree on 1 of 30 test images" in text
    assert "The training left no TensorBoard events" in text
    assert "Their times are not known here." in text


def test_gallery_shows_the_image_that_the_models_disagree_on(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is in the second of the batches that are read."""
    monkeypatch.setattr(example_files, "_BATCH_SIZE", 6)
    expected = [
        images[1] for images, _ in example_files.read_raw([f"{inputs['examples'].uri}/*/*"])
    ]
    _report(inputs)
    html = (Path(inputs["report"].uri) / "index.html").read_text("utf-8")
    (data,) = set(re.findall(r'<img src="data:image/png;base64,([^"]+)"', html))
    picture = matplotlib_image.imread(io.BytesIO(base64.b64decode(data)))
    np.testing.assert_allclose(picture.reshape(-1), expected[1], atol=2 / 255)


def test_the_image_on_which_runtimes_differ_is_shown(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that no gallery has, from the last of the batches."""
    monkeypatch.setattr(example_files, "_BATCH_SIZE", 7)
    first = Difference(image=29, label=9, expected=9, found=4)
    tflm = RuntimeMetrics(30, 0.9, 0.97, 0.97, 1, 0, None, 0.5, 2.0, first)
    *models, last = (model(name, pushed_to=None) for name in NAMES)
    judged = verdict(*models, dataclasses.replace(last, runtimes={"tflm": tflm}))
    write(judged, Path(inputs["comparison"].uri) / "comparison.json")
    shown, render = [], rendering.render
    monkeypatch.setattr(
        rendering, "render", lambda content, seen: shown.append(seen) or render(content, seen)
    )
    _, text = _report(inputs)
    assert "number 29, label 9" in text
    *_, images = (images for images, _ in example_files.read_raw([f"{inputs['examples'].uri}/*/*"]))
    np.testing.assert_array_equal(shown[0].images[29], images[-1])


def test_eval_split_is_read_once_and_galleries_are_those_of_all_batches(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each batch has more for them than they show."""
    monkeypatch.setattr(example_files, "_BATCH_SIZE", 10)
    monkeypatch.setattr(rendering, "GALLERY_SIZE", 4)
    random = np.random.default_rng(0)
    logits = {name: random.normal(size=(30, 10)).astype(np.float32) for name in NAMES}
    np.savez(Path(inputs["comparison"].uri) / LOGITS_FILE, **logits)
    files = [f"{inputs['examples'].uri}/*/*"]
    all_images = np.concatenate([images for images, _ in example_files.read_raw(files)])
    expected = rendering.gallery_rows(logits, np.arange(30) % 10, NAMES[0])
    reads, shown = [], []
    read, render = example_files.read_raw, rendering.render
    monkeypatch.setattr(example_files, "read_raw", lambda files: reads.append(files) or read(files))
    monkeypatch.setattr(
        rendering, "render", lambda content, seen: shown.append(seen) or render(content, seen)
    )
    _report(inputs)
    ((evidence,), (_,)) = shown, reads
    np.testing.assert_array_equal(evidence.labels, np.arange(30) % 10)
    for rows in expected:
        assert len(rows) > 4
        for row in rows[:4]:
            np.testing.assert_array_equal(evidence.images[row], all_images[row])


def test_pushers_that_did_not_push(inputs: dict[str, Any], tmp_path: Path) -> None:
    inputs |= {
        "server_push": _push(tmp_path / "no_server_push", ""),
        "device_push": _push(tmp_path / "no_device_push", ""),
    }
    pushed_to, text = _report(inputs)
    assert pushed_to == [None, None, None]
    assert "None of 3 models was pushed" in text


def test_times_are_those_in_ml_metadata(inputs: dict[str, Any], tmp_path: Path) -> None:
    run_small_pipeline(tmp_path, 1)
    run_small_pipeline(tmp_path, 2)
    inputs["metadata_location"] = str(metadata_file(tmp_path))
    time = runs.node_times(open_store(str(metadata_file(tmp_path))), NAME)["Made"]
    shown = formatting.seconds(time.seconds).replace("\u202f", " ")
    _, text = _report(inputs)
    assert "Report had not finished when this page was written." in text
    assert f"Made \u2013 {shown}, cached Report Made \u2013" in text
