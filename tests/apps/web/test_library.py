"""What the page computes without a DOM is what Python computes: images, answers, trainings, states.

Python writes what it makes of images and packages, Node's test runner compares the page's modules
with that, and Python reads what they wrote.
"""

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from apps.web import build
from data import digits
from data.files import PROJECT_ROOT
from modules.inference import litert
from modules.inference.personal.client import PersonalModel
from pipeline.verdict import device_package
from tests.apps.web import personal_data, pixel_data
from tests.modules.inference.personal import packages
from tests.pipeline.verdict.whole_verdict import JUDGED
from tests.support.digit_models import DigitModels
from tests.support.machine import lacks

WEB = PROJECT_ROOT / "apps" / "web"
HEADS = ("softmax", "mlp")

RunModel = Callable[..., subprocess.CompletedProcess[str]]


def needs_npm() -> None:
    """Skips the test where npm or the page's packages are missing."""
    if not shutil.which("npm") or not (WEB / "node_modules").is_dir():
        lacks("WEB", f"npm, or {WEB / 'node_modules'}, is not there: make web-setup")


def npm(*arguments: str, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs npm in the page's folder."""
    needs_npm()
    settings = {name: str(value) for name, value in environment.items()}
    return subprocess.run(
        ["npm", "--silent", *arguments],
        cwd=WEB,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def data(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the modules are compared with."""
    folder = tmp_path_factory.mktemp("web") / "data"
    folder.mkdir()
    pixels = np.rint(digit_models.images[:50] * 255).astype(np.uint8).reshape(-1, 28, 28)
    pixel_data.write(folder / "pixels", pixels)
    personal_data.write_states(folder / "states")
    for head in HEADS:
        package = packages.make(tmp_path_factory.mktemp(head) / "1", head)
        personal_data.write(folder / "personal" / head, package)
    judged = [dataclasses.replace(JUDGED, name=name) for name in digit_models.tflite_paths]
    models = folder / "models"
    device_package.pack(models, digit_models.tflite_paths, judged, digits.TASK, "cnn")
    images = digit_models.images[:12]
    images.tofile(models / "images.f32")
    for name in ("float32", "float16", "dynamic_range", "int8"):
        interpreter = litert.make_interpreter(str(models / f"{name}.tflite"))
        run = interpreter.get_signature_runner(litert.SIGNATURE)
        logits = [run(image_floats=image[np.newaxis])["logits"] for image in images]
        np.concatenate(logits).tofile(models / f"{name}.f32")
    return folder


@pytest.fixture(scope="module")
def compared(data: Path) -> Path:
    """The same folder, with what the modules wrote into it."""
    done = npm("test", WEB_TEST_DATA=data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# skipped 0\n" in done.stdout
    return data


@pytest.fixture(scope="module")
def run_model() -> RunModel:
    """Runs the command that tells what a model says of rows in WASM, with these paths."""
    needs_npm()
    command = ["node", build.built() / "run-model.mjs"]
    return lambda *paths: subprocess.run(
        [*command, *paths], capture_output=True, text=True, timeout=600
    )


def test_types_are_right() -> None:
    done = npm("run", "check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("head", HEADS)
def test_the_same_steps_make_the_same_state(compared: Path, head: str) -> None:
    package = compared / "personal" / head
    model = PersonalModel(package)
    model.load(package / "same-steps.safetensors")
    assert model.step == 4 + len(json.loads((package / "losses.json").read_text()))
    found, expected = (
        safetensors.numpy.load_file(package / name)
        for name in ("same-steps.safetensors", "after.safetensors")
    )
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("head", HEADS)
def test_python_goes_on_with_what_the_page_taught(compared: Path, head: str) -> None:
    package = compared / "personal" / head
    model = PersonalModel(package)
    model.load(package / "own.safetensors")
    assert model.class_names == (*packages.TASK.label_names, "star ☆")
    told = json.loads((package / "own-told.json").read_text())
    for image, answer in zip(personal_data.images_of_all(), told, strict=True):
        assert model.infer(image) == pytest.approx(answer, abs=1e-5)
    losses = model.train(2)
    assert losses[-1] < 0.1


@pytest.mark.parametrize("name", ["float32", "int8"])
def test_a_device_model_is_run_on_raw_rows(
    data: Path, run_model: RunModel, tmp_path: Path, name: str
) -> None:
    outputs = tmp_path / "outputs"
    done = run_model(data / "models" / f"{name}.tflite", data / "models" / "images.f32", outputs)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("12 images in ")
    found, expected = (
        np.fromfile(path, np.float32).reshape(-1, 10)
        for path in (outputs, data / "models" / f"{name}.f32")
    )
    assert (found.argmax(1) == expected.argmax(1)).all()
    if name == "float32":
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_what_cannot_be_run_is_told_by_status_and_sentence(
    data: Path, run_model: RunModel, tmp_path: Path
) -> None:
    models, outputs = data / "models", tmp_path / "outputs"
    images = models / "images.f32"
    done = run_model(models / "int8_io.tflite", images, outputs)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("int8_io.tflite has the tensor image_floats of")
    (tmp_path / "odd").write_bytes(bytes(3137))
    wrong = {
        "has 3137 bytes, expected a multiple of 3136": (
            models / "float32.tflite",
            tmp_path / "odd",
        ),
        "images.f32 is no TFLite file of use": (images, images),
        "ENOENT: no such file": (tmp_path / "gone", images),
        "expected one of each": (data / "personal" / "mlp" / "personal.tflite", images),
    }
    for sentence, (model, inputs) in wrong.items():
        done = run_model(model, inputs, outputs)
        assert done.returncode == 1 and sentence in done.stderr.splitlines()[-1]
    assert not outputs.exists()


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    locked = [each for name, each in lock["packages"].items() if name]
    assert len(locked) > 30
    for each in locked:
        assert "resolved" not in each and each["integrity"].startswith("sha512-")
    assert "://" not in "".join(each["version"] for each in locked)
