"""What is damaged or no model at all: a sentence each, and the nearest path that would do."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from modules.inspection import opening
from modules.inspection.report import DeviceModel, ServerModel
from tests.modules.inspection import made_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel, and a `.tflite`."""
    folder = tmp_path_factory.mktemp("models")
    made_models.save_reusable(folder / "saved")
    made_models.convert_cumsum(folder / "model.tflite")
    return folder


def test_a_tflite_may_have_any_name(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "model.tflite", tmp_path / "tflite")
    assert isinstance(opening.inspect(str(tmp_path / "tflite")), DeviceModel)
    assert isinstance(opening.inspect(str(models / "saved")), ServerModel)


def _cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def _sparse(path: Path, start: bytes) -> None:
    path.write_bytes(start)
    os.truncate(path, 2**33)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: _cut(file, 5000), "cut or damaged"),
        (lambda file: _cut(file, 20), "cut or damaged"),
        (lambda file: _cut(file, 0), "is empty"),
        (lambda file: file.write_bytes(np.random.default_rng(0).bytes(999)), "does not begin as"),
        (lambda file: file.write_text("hello"), "does not begin as"),
        (lambda file: _sparse(file, b"\x20\0\0\0TFL3"), "a .tflite file has at most"),
        (lambda file: _sparse(file, b""), "does not begin as"),
        (lambda file: (file.unlink(), os.mkfifo(file)), "neither a file nor a folder"),
        (lambda file: file.unlink(), "No such file or directory"),
    ],
)
def test_a_damaged_tflite(
    models: Path, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    file = tmp_path / "model.tflite"
    shutil.copy(models / "model.tflite", file)
    damage(file)
    _refused(file, words)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: _cut(folder / "saved_model.pb", 3000), "it is no whole message"),
        (lambda folder: _cut(folder / "saved_model.pb", 0), "does not begin as one"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"PNG"), "does not begin as one"),
        (lambda folder: _sparse(folder / "saved_model.pb", b"\x08"), "8,589,934,592 bytes"),
        (lambda folder: shutil.rmtree(folder / "variables"), "variables.index is missing"),
        (lambda folder: next(folder.rglob("*.data-*")).unlink(), "data-... is missing"),
        (lambda folder: _cut(next(folder.rglob("*.data-*")), 10), "holds 10 bytes of variables"),
        (lambda folder: (folder / "saved_model.pb").unlink(), "there is none near it"),
    ],
)
def test_a_damaged_saved_model(
    models: Path, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    folder = tmp_path / "saved"
    shutil.copytree(models / "saved", folder)
    damage(folder)
    _refused(folder, words)


def test_a_graph_that_refers_to_what_is_not_there(models: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    folder = tmp_path / "saved"
    shutil.copytree(models / "saved", folder)
    file = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    saved.meta_graphs[0].object_graph_def.nodes[0].children[0].node_id = 999
    file.write_bytes(saved.SerializeToString())
    _refused(folder, "refers to what is not in it")
    file.write_bytes(saved_model_pb2.SavedModel(saved_model_schema_version=1).SerializeToString())
    _refused(folder, "there is no graph in it")


def test_the_nearest_model_is_named(models: Path, tmp_path: Path) -> None:
    for version in ("10", "50", "7"):
        shutil.copytree(models / "saved", tmp_path / "serving" / version)
    (tmp_path / "serving" / "300").mkdir()
    nearest = tmp_path / "serving" / "50"
    _refused(tmp_path, f"the nearest is FILE={nearest}")
    _refused(tmp_path / "serving", f"the nearest is FILE={nearest}")
    _refused(nearest / "variables", f"the nearest is FILE={nearest}")
    _refused(nearest / "saved_model.pb", f"the nearest is FILE={nearest}")
    device = tmp_path / "other" / "device"
    device.mkdir(parents=True)
    _refused(device, "there is none near it")
    (device / "model.json").write_text("{}")
    shutil.copy(models / "model.tflite", device / "float32.tflite")
    _refused(tmp_path / "other", f"the nearest is FILE={device}/float32.tflite")


def _refused(path: Path, words: str) -> None:
    with pytest.raises(DataError) as caught:
        opening.inspect(str(path))
    text = str(caught.value)
    assert words in text and str(path) in text and len(text.splitlines()) == 1
