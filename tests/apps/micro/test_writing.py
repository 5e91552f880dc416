"""The files, as a compiler reads them."""

import dataclasses
from pathlib import Path

import pytest

from apps.micro import writing
from apps.micro.writing import Found
from data.errors import DataError
from tests.apps.micro import compiled

# What ends a string, a line, a comment or a directive, or means more than it says.
HOSTILE = (
    '"); return 1; //',
    "two\nlines\r\n#error no",
    "*/ int x; /*",
    "back\\slash\\",
    "what??/",
    "??=pragma",
    "größe, 大, ☃, 😀",
    "7f then hex",
    "%s%n",
    "tab\tand\x01\x7f",
    "half\udc80",
    "{{ model }}{% raw %}",
)


def test_hostile_labels_arrive_in_the_program_as_they_are(found: Found, tmp_path: Path) -> None:
    model = dataclasses.replace(found.model, labels=HOSTILE)
    task = dataclasses.replace(found.task, name=HOSTILE[0], label_names=HOSTILE)
    writing.write(dataclasses.replace(found, model=model, task=task), tmp_path)
    path = compiled.library(tmp_path, "model.c", "samples.c")
    read = compiled.strings(path, "g_labels", len(HOSTILE))
    assert read == [label.encode(errors="replace") for label in HOSTILE]
    assert not [
        path.name
        for path in tmp_path.iterdir()
        if path.suffix in (".c", ".cc", ".h", ".md") and "return 1; //" in path.read_text()
        if path.name != "model.c"
    ]


def test_the_array_is_the_file_byte_by_byte_and_aligned(found: Found, tmp_path: Path) -> None:
    writing.write(found, tmp_path)
    content = found.model.content
    path = compiled.library(tmp_path, "model.c")
    read, address = compiled.content(path, "g_model", len(content))
    assert read == content == found.model.path.read_bytes() and address % 16 == 0


def test_a_folder_that_cannot_be_written_to(found: Found, tmp_path: Path) -> None:
    (tmp_path / "model.c").mkdir()
    with pytest.raises(DataError, match=f"cannot write {tmp_path}"):
        writing.write(found, tmp_path)
    assert not (tmp_path / "micro.json").exists()
