"""The library for Android on the JVM: its own tests in Java, and its numbers beside Python's."""

import json
from pathlib import Path

import numpy as np
import pytest

from modules.inference.personal import tensor_files
from modules.inference.personal.client import PersonalModel
from tests.apps.android.conftest import SMALL_DISK, JavaTests, run
from tests.apps.android.library_data import NUM_IMAGES, small_images
from tests.modules.inference.personal.states import KEPT, parts
from tests.support.digit_models import DigitModels
from tests.support.small_disk import SmallDisk

WANTED = 40  # tests in Java: if there are fewer, some were not found


def test_java_tests_pass(java_tests: JavaTests) -> None:
    assert java_tests.status == 0, java_tests.told
    assert java_tests.passed >= WANTED, java_tests.told
    assert " 0 tests skipped" in java_tests.told, java_tests.told


def test_a_full_disk_leaves_the_old_state(java_tests: JavaTests, small_disk: SmallDisk) -> None:
    java, *rest = java_tests.command
    found = run(
        [java, f"-Dmnistjax.disk={small_disk.folder}", *rest, f"--include-tag={SMALL_DISK}"]
    )
    assert found.returncode == 0 and " 1 tests successful" in found.stdout, found.stdout


@pytest.mark.parametrize("name", ["digits", "small"])
def test_what_java_trains_is_what_python_trains_on_the_same_batches(
    java_tests: JavaTests, name: str
) -> None:
    """Both go on from the state that Python wrote; the batches are those that Java drew."""
    folder, package = java_tests.folder, {"digits": "personal", "small": "mlp"}[name]
    model = PersonalModel(folder / package)
    model.load(folder / f"{name}.safetensors")
    before = {key: value.copy() for key, value in model._values.items()}
    batches, _ = tensor_files.parsed(_out(folder, f"{name}-batches"), folder)
    losses = [
        model._take_step(features, labels)
        for features, labels in zip(batches["features"], batches["labels"], strict=True)
    ]
    assert len(losses) > 10
    np.testing.assert_allclose(batches["losses"], losses, atol=1e-5, rtol=0)
    found, texts = parts(folder / "out" / f"{name}.safetensors")
    assert texts["step"] == str(model.step)
    for key, value in model._values.items():
        np.testing.assert_allclose(found[key], value, atol=1e-5, rtol=0, err_msg=key)
    assert any(abs(before[key] - found[key]).max() > 1e-3 for key in before)


@pytest.mark.parametrize("name", ["digits", "small"])
def test_python_goes_on_with_what_java_saved(
    java_tests: JavaTests, digit_models: DigitModels, name: str
) -> None:
    folder, package = java_tests.folder, {"digits": "personal", "small": "mlp"}[name]
    images = {"digits": digit_models.images[:NUM_IMAGES], "small": small_images()}[name]
    model = PersonalModel(folder / package)
    model.load(folder / "out" / f"{name}.safetensors")
    told = json.loads((folder / "out" / f"{name}.json").read_text())
    for image, expected in zip(images, told, strict=True):
        found = model.infer(image)
        assert list(found) == list(expected)
        np.testing.assert_allclose(list(found.values()), list(expected.values()), atol=1e-5)
    model.train(1)


def test_a_state_that_java_wrote_again_is_the_same(java_tests: JavaTests) -> None:
    arrays, texts = parts(java_tests.folder / "states" / "good.safetensors")
    again, texts_again = parts(java_tests.folder / "out" / "good.safetensors")
    assert texts_again == texts and again.keys() == arrays.keys()
    assert json.loads(texts_again["class_names"]) == list(KEPT.class_names)
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        np.testing.assert_array_equal(again[name], array)


def _out(folder: Path, name: str) -> bytes:
    return (folder / "out" / f"{name}.safetensors").read_bytes()
