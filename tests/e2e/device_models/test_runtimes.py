"""A device model that another runtime understands otherwise is not pushed; those alike are."""

from pathlib import Path

import pytest

from modules.export.recipes import RECIPES
from modules.inference.runtimes.catalogue import RUNTIMES
from pipeline.config import PipelineConfig
from tests.e2e.device_models.test_damaged_models import failed_checks, made_by, ship_again
from tests.e2e.support.harness import Run
from tests.support.runtimes import add_runtime

# What a runtime has no kernels or no tensors for.
DECLINED = {"tflm": {"float16", "dynamic_range"}, "wasm": {"int8_io"}}
# Of the 256 images, those in rows 5 to 12 get another class; row 5 is number 7 of the test set.
FLIP = """
answer()
if "int8_io" in model:
    values = np.fromfile(outputs, np.int8).reshape(-1, 10)
    values[5:13] = np.roll(values[5:13], 1, axis=1)
    values.tofile(outputs)
"""


def test_one_that_differs_is_not_pushed_and_the_first_image_is_named(
    digits_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_runtime(monkeypatch, tmp_path, "flipping", FLIP)
    made = made_by(digits_run)
    folders = {name: made.folders[name].parent for name in ("float32", "int8_io")}
    output = tmp_path / "output"

    models = ship_again(digits_run, output, "", folders, runtimes=("xnnpack", "flipping"))

    [pushed] = output.glob("device/*")
    assert {path.name for path in pushed.glob("*.tflite")} == {"float32.tflite"}
    assert models["float32"]["blessed"]
    assert models["float32"]["runtimes"]["flipping"]["agreement"] == 1.0
    differing = models["int8_io"]
    assert failed_checks(differing) == {
        *("min_runtime_agreement", "max_runtime_accuracy_drop", "max_runtime_logit_difference")
    }
    first = differing["runtimes"]["flipping"]["first_difference"]
    assert first["image"] == 7 and first["found"] == (first["expected"] + 1) % 10
    [check] = [each for each in differing["checks"] if each["name"] == "min_runtime_agreement"]
    assert check["detail"] == (
        f"flipping, which first differs on test image 7: class {first['found']} instead of "
        f"{first['expected']}"
    )
    assert (check["value"], check["images"]) == (1 - 8 / 256, 256)


def test_every_runtime_that_is_installed_is_asked_and_the_rest_is_told(
    digits_run: Run, tmp_path: Path
) -> None:
    made = made_by(digits_run)
    folders = {name: folder.parent for name, folder in made.folders.items()}

    server, *devices = ship_again(
        digits_run, tmp_path / "output", "", folders, parity_images=32
    ).values()

    assert server["runtimes"] == server["runtimes_not_run"] == {}
    assert {device["name"] for device in devices if device["blessed"]} == set(RECIPES)
    for device in devices:
        asked = {*device["runtimes"], *device["runtimes_not_run"]}
        assert asked == set(RUNTIMES) == set(PipelineConfig.runtimes)
        declined = {name for name in asked if device["name"] in DECLINED.get(name, ())}
        missing = {name for name, runtime in RUNTIMES.items() if runtime.missing()}
        assert set(device["runtimes_not_run"]) == missing | declined
        for found in device["runtimes"].values():
            assert (found["images"], found["agreement_but_for_ties"]) == (32, 1.0)
            assert found["max_logit_difference"] < 3
        assert device["runtimes"]["xnnpack"]["max_logit_difference"] == 0.0
