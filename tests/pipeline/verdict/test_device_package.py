"""What a device gets: the files that may ship, and a manifest that an app can work by."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.task import Drawing, Task
from modules.export.recipes import RECIPES
from modules.inference import litert
from pipeline.verdict import device_package
from pipeline.verdict.verdict import HardMetrics, JudgedModel, Latency, Metrics
from tests.support.digit_models import DigitModels

DIGITS = Task("digits", (28, 28, 1), tuple("0123456789"), drawing=Drawing())


def _judged(name: str, size: int) -> JudgedModel:
    """What the verdict says of a model, which has more than the manifest takes."""
    return JudgedModel(
        name=name,
        model_type="tf_lite",
        bytes=size,
        metrics=Metrics(0.99, 0.03),
        accuracy_interval=(0.98, 0.995),
        per_class_accuracy={str(label): 0.9 + label / 100 for label in range(10)},
        agreement=0.998,
        max_abs_logit_difference=0.1,
        hard=HardMetrics(0.9, 0.3, agreement=0.99),
        latency_us={"batch_1": Latency(100.0, 120.0)},
        checks=(),
        conversion=None,
        runtimes={},
        runtimes_not_run={},
        refused=None,
        pushed_to=None,
    )


@pytest.fixture(scope="module")
def package(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the five models, below a folder that does not exist before."""
    folder = tmp_path_factory.mktemp("packages") / "device" / "1"
    device_package.pack(
        folder,
        digit_models.tflite_paths,
        [_judged("int8_io", 5), _judged("float32", 6)],
        DIGITS,
        "cnn",
    )
    return folder


@pytest.fixture(scope="module")
def manifest(package: Path) -> dict[str, Any]:
    return json.loads((package / "model.json").read_text())


def test_manifest_tells_whether_a_file_is_whole(package: Path, manifest: dict[str, Any]) -> None:
    for found in manifest["models"]:
        content = (package / found["file"]).read_bytes()
        assert found["sha256"] == hashlib.sha256(content).hexdigest()


def test_only_what_may_ship_is_in_the_folder(package: Path, digit_models: DigitModels) -> None:
    names = {"model.json", "float32.tflite", "int8_io.tflite"}
    assert {path.name for path in package.iterdir()} == names
    for name in ("float32", "int8_io"):
        original = Path(digit_models.tflite_paths[name])
        assert (package / f"{name}.tflite").read_bytes() == original.read_bytes()


def test_manifest_says_what_the_comparison_does(manifest: dict[str, Any]) -> None:
    assert [found["file"] for found in manifest["models"]] == ["int8_io.tflite", "float32.tflite"]
    for found, size in zip(manifest["models"], (5, 6), strict=True):
        judged = dataclasses.asdict(_judged(found["name"], size))
        copied = set(judged) - {
            *("model_type", "checks", "refused", "pushed_to"),
            *("max_abs_logit_difference", "hard", "accuracy_interval", "conversion"),
            *("runtimes", "runtimes_not_run"),
        }
        assert set(found) == copied | {"file", "sha256", "summary", "input", "output"}
        assert {key: found[key] for key in copied} == {key: judged[key] for key in copied}
        assert found["summary"] == RECIPES[found["name"]].summary


def test_manifest_describes_an_image_and_the_answer(manifest: dict[str, Any]) -> None:
    assert (manifest["input"]["name"], manifest["output"]["name"]) == ("image_floats", "logits")
    assert (manifest["input"]["shape"], manifest["input"]["range"]) == ([None, 784], [0.0, 1.0])
    assert manifest["input"]["image_shape"] == [28, 28, 1]
    assert manifest["input"]["layout"] == "row-major 28x28, black is 0"
    assert manifest["input"]["drawing"] == {"size": 20, "field": 28, "centre": "mass"}
    assert manifest["labels"] == list("0123456789")
    assert (manifest["task"], manifest["model"]) == ("digits", "cnn")


def test_float_tensors_have_no_quantization(manifest: dict[str, Any]) -> None:
    found = manifest["models"][1]
    assert found["input"] == {"dtype": "float32", "shape": [None, 784], "quantization": None}
    assert found["output"] == {"dtype": "float32", "shape": [None, 10], "quantization": None}


def test_integer_model_can_be_fed_and_read_by_the_manifest_alone(
    package: Path, manifest: dict[str, Any], digit_models: DigitModels
) -> None:
    found = manifest["models"][0]
    given, taken = found["input"]["quantization"], found["output"]["quantization"]
    assert (found["input"]["dtype"], found["output"]["dtype"]) == ("int8", "int8")
    assert (found["input"]["shape"], found["output"]["shape"]) == ([None, 784], [None, 10])
    ends = np.rint(np.array([0.0, 1.0]) / given["scale"]) + given["zero_point"]
    assert ends.tolist() == [-128, 127]

    image = digit_models.images[:1]
    integers = np.rint(image / np.float32(given["scale"])) + given["zero_point"]
    interpreter = litert.make_interpreter(str(package / found["file"]))
    run = interpreter.get_signature_runner("serving_default")
    output = run(image_floats=integers.astype(np.int8))["logits"].astype(np.float64)
    logits = (output - taken["zero_point"]) * taken["scale"]
    expected = litert.predict(str(package / found["file"]), image)
    np.testing.assert_allclose(logits, expected, rtol=1e-6)


def test_package_of_nothing_says_what_it_is_for(tmp_path: Path) -> None:
    """No model may ship: the Pusher, which is not blessed either, finds a manifest without any."""
    task = Task("fruit", (20, 30, 3), ("apple", "17", "Äpfel"))
    device_package.pack(tmp_path / "device", {}, [], task, "own.py")
    assert [path.name for path in (tmp_path / "device").iterdir()] == ["model.json"]
    manifest = json.loads((tmp_path / "device" / "model.json").read_text())
    assert (manifest["models"], manifest["labels"]) == ([], ["apple", "17", "Äpfel"])
    assert manifest["input"]["shape"] == [None, 1800]
    assert manifest["input"]["drawing"] is None
    assert manifest["input"]["layout"] == (
        "row-major 20x30, red, green and blue of each pixel, black is 0"
    )
