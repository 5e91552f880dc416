"""`personal.json` comes back as it was, and what is wrong with it is told."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from modules.inference.personal import manifest
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.manifest import MANIFEST_FILE, Manifest, ReplayFile
from tests.modules.inference.personal.packages import TASK

WHOLE = Manifest(
    schema_version=1,
    model="cnn",
    task=TASK,
    label_names=TASK.label_names,
    num_classes=12,
    batch_size=32,
    features=128,
    head="mlp",
    optimizer="adam",
    learning_rate=0.001,
    file="personal.tflite",
    bytes=3,
    sha256="ab" * 32,
    replay=ReplayFile("replay.safetensors", "cd" * 32, 100),
)


@pytest.mark.parametrize("whole", [WHOLE, dataclasses.replace(WHOLE, replay=None)])
def test_a_manifest_comes_back_as_it_was(tmp_path: Path, whole: Manifest) -> None:
    manifest.write(whole, tmp_path)
    assert manifest.read(tmp_path) == whole


def test_the_file_has_what_docs_say(tmp_path: Path) -> None:
    manifest.write(WHOLE, tmp_path)
    content = json.loads((tmp_path / MANIFEST_FILE).read_text())
    assert content["task"]["image_shape"] == [6, 6, 1]
    assert content["label_names"] == content["task"]["label_names"] == ["cross", "line", "ring"]
    assert content["replay"] == {
        "file": "replay.safetensors",
        "sha256": "cd" * 32,
        "images": 100,
    }
    assert set(content) == {field.name for field in dataclasses.fields(Manifest)}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schema_version": 2}, "is of schema version 2, expected 1"),
        ({"num_classes": "many"}, "is not of schema version 1: num_classes: Input should be"),
        ({"num_classes": 2}, "num_classes is 2, less than there are label_names"),
        ({"label_names": ["ring"]}, "label_names are not those of the task"),
        ({"batch_size": 0}, "batch_size and features have to be at least 1"),
        ({"file": "../personal.tflite"}, "'../personal.tflite' is not the name of a file"),
        ({"replay": {"file": "/r", "sha256": "", "images": 1}}, "'/r' is not the name of a file"),
        ({"task": {"name": "x"}}, "task.image_shape: Field required"),
    ],
)
def test_a_wrong_manifest_is_refused_in_a_sentence(
    tmp_path: Path, values: dict[str, object], message: str
) -> None:
    manifest.write(WHOLE, tmp_path)
    path = tmp_path / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(PersonalError, match=f"^{path} .*{re.escape(message)}.*; take the package"):
        manifest.read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"model": '])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(PersonalError, match="personal.json is no JSON "):
        manifest.read(tmp_path)


@pytest.mark.parametrize("content", ["[]", "null", "{}"])
def test_json_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST_FILE).write_text(content)
    with pytest.raises(PersonalError, match="personal.json is not of schema version 1: "):
        manifest.read(tmp_path)
