"""One sentence for a full disk, whoever met it."""

import sqlite3
from pathlib import Path

import pytest

from pipeline.storage import full_disk
from pipeline.storage.version_writer import PushError
from tests.support.small_disk import SmallDisk


def test_the_file_that_python_could_not_make_names_the_folder(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    small_disk.remake(1, 1)
    with pytest.raises(OSError, match="No space left") as raised:
        (small_disk.folder / "deep").mkdir()
    assert full_disk.told(raised.value, [tmp_path]) == (
        f"the disk of {small_disk.folder} is full; make room there, then run again: finished work "
        "is kept"
    )


def test_who_names_no_file_is_told_the_fullest_disk(small_disk: SmallDisk, tmp_path: Path) -> None:
    small_disk.fill()
    with pytest.raises(sqlite3.OperationalError) as raised:
        sqlite3.connect(small_disk.folder / "metadata.db").execute("CREATE TABLE a (b)")
    told = full_disk.told(raised.value, ["s3://bucket", tmp_path / "none", small_disk.folder])
    assert told and told.startswith(f"the disk of {small_disk.folder} is full")
    wrapped = RuntimeError("a component failed")
    wrapped.__cause__ = raised.value
    assert full_disk.told(wrapped, [small_disk.folder]) == told


def test_other_errors_are_told_by_others() -> None:
    assert full_disk.told(FileNotFoundError(2, "No such file or directory", "/x"), ["/"]) is None
    assert full_disk.told(ValueError("NaN"), ["/"]) is None
    assert full_disk.told(PushError("cannot push to /x"), ["/"]) == "cannot push to /x"
