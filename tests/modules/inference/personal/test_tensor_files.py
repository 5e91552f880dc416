"""A file that was written is on the disk, and so is its name."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from modules.inference.personal import tensor_files


def test_the_disk_has_the_content_before_the_name_and_the_name_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut leaves shows in no other way."""
    path, synced, sync = tmp_path / "file", [], os.fsync

    def recorded(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, path.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    tensor_files.write(path, {"a": np.zeros(3)})
    assert synced == [(False, False), (True, True)]


def test_an_array_that_lies_otherwise_in_memory_is_written_as_it_is_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    tensor_files.write(tmp_path / "file", {"a": array}, {"key": "value"})
    arrays, texts = tensor_files.parsed((tmp_path / "file").read_bytes(), tmp_path)
    np.testing.assert_array_equal(arrays["a"], array)
    assert texts == {"key": "value"}
