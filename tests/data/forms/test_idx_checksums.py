"""Hashes of what IDX files hold."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from data.forms.idx import write_idx
from data.forms.idx_checksums import has_sha256, sha256_of

IMAGES = np.random.default_rng(1).integers(0, 256, (40, 28, 28), np.uint8)


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
    assert sha256_of(path) == expected
    assert has_sha256(path, expected, len(whole))
    assert not has_sha256(path, expected, len(whole) - 1)
    assert not has_sha256(path, "0" * 64, len(whole))
    assert not has_sha256(tmp_path / "none", expected, len(whole))
