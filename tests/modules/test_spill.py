"""Arrays that go to a file when they pass a limit."""

import os
from pathlib import Path

import numpy as np
import pytest

from modules import spill

PARTS = [np.full((size, 3), size, np.float32) for size in (4, 1, 5)]  # 120 bytes


@pytest.mark.parametrize("max_bytes", [0, 60, 119])
def test_more_than_the_limit_goes_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_bytes: int
) -> None:
    monkeypatch.setattr(spill.tempfile, "tempdir", str(tmp_path))
    taken = []

    def parts():
        for part in PARTS:
            taken.append(len(part))
            yield part

    joined = spill.collect(parts(), max_bytes)
    assert isinstance(joined, np.memmap) and taken == [4, 1, 5]
    np.testing.assert_array_equal(joined, np.concatenate(PARTS))
    assert joined.dtype == np.float32
    # Without a name, the file is gone as soon as nothing refers to it.
    assert os.listdir(tmp_path) == []
    assert f"{tmp_path}/" in Path("/proc/self/maps").read_text()
    del joined
    assert f"{tmp_path}/" not in Path("/proc/self/maps").read_text()


def test_no_more_than_the_limit_stays_in_memory() -> None:
    joined = spill.collect(iter(PARTS), 120)
    assert type(joined) is np.ndarray
    np.testing.assert_array_equal(joined, np.concatenate(PARTS))


def test_records_keep_their_fields() -> None:
    records = np.zeros(4, [("image", np.float32, 2), ("label", ">i8")])
    records["label"] = range(4)
    joined = spill.collect([records, records], 0)
    assert joined["label"].tolist() == [0, 1, 2, 3] * 2
