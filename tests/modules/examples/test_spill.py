"""Records that are sorted, in memory or in a file when they pass a limit."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from modules.examples import spill

DTYPE = np.dtype([("image", np.uint8, 3), ("label", ">i8")])  # 11 bytes
SIZES = (4, 1, 5, 3)


def make_parts() -> list[np.ndarray]:
    """Returns 13 records, some of them equal, out of order."""
    random = np.random.default_rng(0)
    parts = [np.zeros(size, DTYPE) for size in SIZES]
    for part in parts:
        part["image"] = random.integers(0, 3, (len(part), 3))
        part["label"] = random.integers(0, 300, len(part))
    parts[1][:] = parts[0][1:2]
    return parts


def open_files(folder: Path) -> int:
    """Returns how many files of a folder this process has open, those without a name too."""
    descriptors = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum(f"{folder}/" in os.readlink(path) for path in descriptors if os.path.lexists(path))


EXPECTED = sorted(record.tobytes() for part in make_parts() for record in part)


@pytest.mark.parametrize("limit", [0, 44, 60, 13 * 11 - 1])
def test_more_than_the_limit_is_sorted_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """In runs as small as a part, or in two."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(spill, "_RECORDS_READ", 2)
    found = spill.sort_records(iter(make_parts()), limit)
    assert isinstance(found, spill.InFile) and len(found) == 13
    assert [record.tobytes() for record in found[0:13]] == EXPECTED
    # Without a name, the file is gone as soon as nothing refers to it, as the runs are already.
    assert os.listdir(tmp_path) == []
    assert open_files(tmp_path) == 1
    del found
    assert open_files(tmp_path) == 0


@pytest.mark.parametrize("limit", [13 * 11, float("inf")])
def test_no_more_than_the_limit_is_sorted_in_memory(limit: float) -> None:
    parts = make_parts()
    found = spill.sort_records(iter(parts), limit)
    assert type(found) is np.ndarray and found.dtype == DTYPE
    assert [record.tobytes() for record in found] == EXPECTED
    np.testing.assert_array_equal(parts[0], make_parts()[0])  # what was given stays as it was


@pytest.mark.parametrize(
    "rows",
    [
        slice(2, 7),
        slice(9, 99),
        slice(13, 15),
        np.array([12, 0, 0, 5]),
        np.array([], np.int64),
    ],
)
def test_rows_of_a_file_are_those_of_the_array(rows: slice | np.ndarray) -> None:
    in_file, in_memory = (spill.sort_records(iter(make_parts()), limit) for limit in (0, 999))
    np.testing.assert_array_equal(in_file[rows], in_memory[rows])
    np.testing.assert_array_equal(in_file[rows]["label"], in_memory[rows]["label"])


def test_a_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(bytes(15))
    with path.open("rb") as file:
        records = spill.InFile(file, DTYPE, 2)
        assert records[0:1].tobytes() == bytes(11)
        with pytest.raises(EOFError, match="7 bytes too early"):
            records[np.array([1])]
