"""Hashes of what IDX files hold, whole and in parts, and what they make sure of."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.forms.idx_checksums import has_sha256, part_digests, sha256_of
from data.forms.idx import read_header, write_idx

IMAGES = np.random.default_rng(1).integers(0, 256, (40, 28, 28), np.uint8)
CHANGED = "images: is no longer what was checked.* run again"


@pytest.fixture(params=["plain", "gzip"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made = tmp_path / "images"
    write_idx(made, IMAGES)
    if request.param == "gzip":
        made.write_bytes(gzip.compress(made.read_bytes()))
    return made


def test_hash_is_of_the_decompressed_bytes(path: Path, tmp_path: Path) -> None:
    write_idx(tmp_path / "plain", IMAGES)
    whole = (tmp_path / "plain").read_bytes()
    expected = hashlib.sha256(whole).hexdigest()
    assert sha256_of(path) == sha256_of(path, header=read_header(path)) == expected
    assert has_sha256(path, expected, len(whole))
    assert not has_sha256(path, expected, len(whole) - 1)
    assert not has_sha256(path, "0" * 64, len(whole))
    assert not has_sha256(tmp_path / "none", expected, len(whole))


def test_other_header(path: Path, tmp_path: Path) -> None:
    write_idx(tmp_path / "other", IMAGES[:39])
    with pytest.raises(DataError, match=CHANGED):
        sha256_of(path, header=read_header(tmp_path / "other"))


def test_parts(path: Path) -> None:
    values = IMAGES.tobytes()
    parts = [values[start : start + 10_000] for start in range(0, len(values), 10_000)]
    expected = [(len(part), hashlib.sha256(part).digest()) for part in parts]
    assert part_digests(path, 10_000, sha256_of(path)) == expected


def test_parts_of_another_file(path: Path) -> None:
    sha256 = sha256_of(path)
    write_idx(path, IMAGES[::-1])
    with pytest.raises(DataError, match=CHANGED):
        part_digests(path, 10_000, sha256)
    path.unlink()
    with pytest.raises(DataError, match=CHANGED):
        part_digests(path, 10_000, sha256)
