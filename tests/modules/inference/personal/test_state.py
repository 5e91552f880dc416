"""A state is refused by name where it does not fit, and is on the disk whole or not at all."""

import dataclasses
import json
import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from data.files import PROJECT_ROOT
from modules.inference.personal import state
from modules.inference.personal.errors import PersonalError
from tests.modules.inference.personal.states import FRESH, KEPT, WRONG, parts
from tests.support.small_disk import PAGE, SmallDisk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where KEPT is."""
    state.write(KEPT, tmp_path / "state.safetensors")
    return tmp_path / "state.safetensors"


def test_a_state_comes_back_as_it_was(path: Path) -> None:
    found = state.read(path, FRESH)
    for field in ("model", "model_sha256", "class_names", "step"):
        assert getattr(found, field) == getattr(KEPT, field)
    arrays = [
        *((found.values[name], value) for name, value in KEPT.values.items()),
        (found.samples.features, KEPT.samples.features),
        (found.samples.labels, KEPT.samples.labels),
        (found.seen, KEPT.seen),
    ]
    for array, expected in arrays:
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(array, expected)


def test_the_file_is_as_docs_say(path: Path) -> None:
    arrays, metadata = parts(path)
    assert {name: f"{each.dtype}{list(each.shape)}" for name, each in arrays.items()} == {
        "params_kernel": "float32[3, 4]",
        "state_count": "int32[]",
        "reservoir_features": "float32[2, 3]",
        "reservoir_labels": "int32[2]",
        "reservoir_seen": "int32[4]",
    }
    assert json.loads(metadata.pop("class_names")) == ["one", "two", "trois ☃"]
    assert metadata == {
        "format": "personal-state",
        "schema_version": "1",
        "model": "cnn",
        "model_sha256": "ab" * 32,
        "step": "12",
    }


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_in_a_sentence(path: Path, name: str) -> None:
    change, message = WRONG[name]
    arrays, metadata = parts(path)
    change(arrays, metadata)
    path.write_bytes(safetensors.numpy.save(arrays, metadata))
    with pytest.raises(PersonalError, match=f"^{path} .*{message}"):
        state.read(path, FRESH)


def test_more_seen_of_an_output_without_a_name_is_refused(path: Path) -> None:
    arrays, metadata = parts(path)
    arrays["reservoir_seen"][3] = 1
    path.write_bytes(safetensors.numpy.save(arrays, metadata))
    with pytest.raises(PersonalError, match="says in reservoir_seen"):
        state.read(path, FRESH)


def test_a_file_that_is_cut_anywhere_or_is_no_such_file_is_refused(path: Path) -> None:
    content = path.read_bytes()
    header = struct.unpack_from("<Q", content)[0]
    others = [b"no state", content + b"\0", content[:8] + b"\xff" * header + content[8 + header :]]
    for wrong in [*(content[:length] for length in range(0, len(content), 7)), *others]:
        path.write_bytes(wrong)
        with pytest.raises(PersonalError, match=f"^{path} is no whole safetensors file"):
            state.read(path, FRESH)


def test_types_that_numpy_has_not_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"BF8"'))
    with pytest.raises(PersonalError, match="is no whole safetensors file"):
        state.read(path, FRESH)


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PersonalError, match="/gone cannot be read: No such file or directory$"):
        state.read(tmp_path / "gone", FRESH)


def test_a_write_that_stops_after_any_byte_leaves_the_state_that_was_there(path: Path) -> None:
    content = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in range(0, len(content), 11):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            with pytest.raises(PersonalError, match=f"^cannot save the state as {path}: File too"):
                state.write(dataclasses.replace(KEPT, step=13), path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == content
        assert os.listdir(path.parent) == [path.name]


def test_a_full_disk_leaves_the_state_that_was_there(small_disk: SmallDisk) -> None:
    path = small_disk.folder / "state"
    state.write(KEPT, path)
    filler = small_disk.fill()
    with pytest.raises(PersonalError, match="No space left on device; a state that was there is "):
        state.write(FRESH, path)
    assert state.read(path, FRESH).step == KEPT.step
    os.truncate(filler, filler.stat().st_size - 2 * PAGE)
    state.write(FRESH, path)
    assert state.read(path, FRESH).step == 0


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PersonalError, match="No such file or directory; .* check that the folder"):
        state.write(KEPT, tmp_path / "gone" / "state")


def test_kills_leave_a_state_that_loads(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.modules.inference.personal.killed_saves", tmp_path, "100"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0
    saves, unfinished = map(int, done.stdout.split())
    assert saves > 1
    assert unfinished > 5  # or the kills came at other times
