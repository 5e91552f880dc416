"""The catalogue agrees with itself and with the format of the files."""

import re

import pytest

from data.catalogue import CATALOGUE
from data.dataset import FILE_NAMES


@pytest.mark.parametrize("name", CATALOGUE)
def test_entry_is_complete(name: str) -> None:
    entry = CATALOGUE[name]
    assert entry.name == name
    assert tuple(file.name for file in entry.files) == FILE_NAMES
    assert len({file.sha256 for file in entry.files}) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in entry.files)
    assert all(re.fullmatch("https://.+/", mirror) for mirror in entry.mirrors)
    assert entry.licence and entry.authors and entry.title


def test_mnist() -> None:
    entry = CATALOGUE["mnist"]
    assert entry.num_classes == 10
    assert entry.label_names == tuple(str(digit) for digit in range(10))
    sizes = [16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000]
    assert [file.size for file in entry.files] == sizes
