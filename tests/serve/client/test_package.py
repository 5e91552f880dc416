"""Which models are asked, and what an image is to them."""

import json
import shutil
from pathlib import Path

import pytest

from data import files
from data.digits import TASK
from data.errors import ConfigError
from data.task import Drawing
from serve.client import package
from tests.serve.client.conftest import RECIPES
from tests.support.pushed_models import record


def test_the_newest_whole_version_of_output(output: Path, tmp_path: Path) -> None:
    for name in ("7", "12", "100"):
        shutil.copytree(output / "device" / "7", tmp_path / "device" / name)
    (tmp_path / "device" / "100" / "float32.tflite").unlink()
    found = package.find({"OUTPUT": str(tmp_path)}, has_server=False)
    assert (found.version, found.output) == (tmp_path / "device" / "12", tmp_path)
    assert found.files == {name: f"{name}.tflite" for name in RECIPES}
    assert (found.task.name, found.task.image_shape) == ("digits", (28, 28, 1))
    assert found.task.label_names == TASK.label_names
    assert found.task.drawing == Drawing()


def test_models_that_were_pushed_elsewhere(output: Path, tmp_path: Path) -> None:
    found = package.find({"OUTPUT": str(tmp_path), "PUSH_TO": str(output)}, has_server=False)
    assert (found.version, found.output) == (output / "device" / "7", tmp_path)


@pytest.mark.parametrize(
    ("change", "drawing"),
    [
        ({"drawing": {"size": 24, "field": 28, "centre": "box"}}, Drawing(24, 28, "box")),
        ({"drawing": None}, None),
        ({}, Drawing()),  # of an earlier run, whose data set the catalogue knows
    ],
)
def test_how_a_drawing_becomes_an_image(
    output: Path, tmp_path: Path, change: dict, drawing: Drawing | None
) -> None:
    version = tmp_path / "device" / "1"
    shutil.copytree(output / "device" / "7", version)
    manifest = json.loads((version / "model.json").read_text())
    assert manifest["input"].pop("drawing") == {"size": 20, "field": 28, "centre": "mass"}
    manifest["input"] |= change
    (version / "model.json").write_text(json.dumps(manifest))
    (version / "pushed.json").unlink()
    record(version)
    assert package.find({"OUTPUT": str(tmp_path)}, has_server=False).task.drawing == drawing


def test_a_server_needs_no_files_for_a_data_set_of_a_known_name(tmp_path: Path) -> None:
    settings = {"OUTPUT": str(tmp_path), "DATASET": "emnist-letters"}
    found = package.find(settings, has_server=True)
    assert (found.task.name, found.version) == ("emnist-letters", None)
    assert found.task.num_classes == 26


def test_without_output_it_is_where_a_run_puts_it(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "OUTPUTS", tmp_path / "output")
    for name in ("digits", "mnist", "kmnist-20x30", "fruit"):
        shutil.copytree(output, tmp_path / "output" / name)
        version = tmp_path / "output" / name / "device" / "7"
        size = {"IMAGE_SIZE": "20x30"} if "x" in name else {}
        given = {"fruit": str(tmp_path / "of mine" / "fruit.npz")}.get(name, name.split("-")[0])
        found = package.find({"DATASET": given, **size}, has_server=False)
        assert (found.version, found.output) == (version, tmp_path / "output" / name)
        # What `auto` makes is the first of these.
        expected = tmp_path / "output" / ("digits" if name == "digits" else "mnist")
        assert package.find({}, has_server=False).output == expected
    sized = package.find({"DATASET": "qmnist", "IMAGE_SIZE": "14"}, has_server=True)
    assert (sized.task.name, sized.task.image_shape) == ("qmnist-14x14", (14, 14, 1))


@pytest.mark.parametrize(
    ("settings", "has_server", "words"),
    [
        ({"DATASET": "mnist"}, False, "a server is asked with SERVER="),
        ({"DATASET": "a/folder"}, True, "DATASET says what data set"),
        ({"PUSH_TO": "s3://bucket/x"}, False, "PUSH_TO=s3://bucket/x: expected a folder"),
        ({"DATASET": "mnist", "IMAGE_SIZE": "big"}, True, "IMAGE_SIZE=big: expected a number"),
    ],
)
def test_what_leads_to_no_models_is_told(
    tmp_path: Path, settings: dict[str, str], has_server: bool, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        package.find({"OUTPUT": str(tmp_path), **settings}, has_server)
    assert words in str(caught.value)


def test_a_manifest_that_is_none_is_told(output: Path, tmp_path: Path) -> None:
    version = tmp_path / "device" / "1"
    shutil.copytree(output / "device" / "7", version)
    (version / "model.json").write_text('{"task": "digits"}')
    (version / "pushed.json").unlink()
    record(version)
    with pytest.raises(ConfigError, match="model.json: expected what `make run` writes"):
        package.find({"OUTPUT": str(tmp_path)}, has_server=False)
