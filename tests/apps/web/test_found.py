"""Which models the page is made of."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from apps.web import found
from data.errors import ConfigError
from modules.inference.personal import manifest
from tests.apps.web.support.made_site import TASK, make_device
from tests.support.pushed_models import record

DEVICE = (
    '{"task": "shapes", "input": {"image_shape": [6, 6, 1], "drawing": null}, "labels": '
    '["cross", "line", "ring"], "models": [{"name": "float32", "file": "float32.tflite"}]}'
)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An OUTPUT with device models and no personal one."""
    version = tmp_path / "out" / "device" / "3"
    make_device(version)
    (version / "model.json").write_text(DEVICE)
    (version / "pushed.json").unlink()
    record(version)
    return tmp_path / "out"


def put(package: Path, folder: Path, is_pushed: bool = True) -> None:
    shutil.copytree(package, folder)
    if is_pushed:
        record(folder)


def test_the_newest_pushed_one_comes_first(made: Path, softmax_package: Path) -> None:
    put(softmax_package, made / "personal" / "new", is_pushed=False)
    assert found.find({"OUTPUT": str(made)}).personal == made / "personal" / "new"
    for version in ("2", "10"):
        put(softmax_package, made / "personal" / version)
    models = found.find({"OUTPUT": str(made)})
    assert models.personal == made / "personal" / "10"
    assert models.personal_files == ("personal.json", "personal.tflite", "replay.safetensors")
    assert models.device_folder == made / "device" / "3"
    assert models.no_personal == ""


def test_without_one_it_says_how_to_make_one(made: Path) -> None:
    models = found.find({"OUTPUT": str(made), "DATASET": "my shapes"})
    assert (models.personal, models.personal_files) == (None, ())
    assert models.no_personal == (
        "There is no model that can be taught yet: `make personalize DATASET='my shapes' "
        f"OUTPUT={made}` makes one."
    )


def test_one_of_other_labels_is_left_out(made: Path, softmax_package: Path) -> None:
    folder = made / "personal" / "new"
    put(softmax_package, folder, is_pushed=False)
    says = manifest.read(folder)
    task = dataclasses.replace(TASK, label_names=("a", "b", "c"))
    other = dataclasses.replace(says, task=task, label_names=task.label_names)
    manifest.write(other, folder)
    models = found.find({"OUTPUT": str(made)})
    assert models.personal is None
    assert models.no_personal.startswith(f"{folder} is of other images or labels than the device")


def test_one_that_cannot_be_read_is_told(made: Path, softmax_package: Path) -> None:
    folder = made / "personal" / "new"
    put(softmax_package, folder, is_pushed=False)
    (folder / "personal.json").write_text("{")
    models = found.find({"OUTPUT": str(made)})
    assert models.personal is None
    assert models.no_personal.startswith(f"{folder / 'personal.json'} is no JSON")


def test_without_device_models_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no pushed models, which `make run`"):
        found.find({"OUTPUT": str(tmp_path)})
