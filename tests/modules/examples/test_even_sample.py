"""Some examples of a split, evenly spread over it."""

from pathlib import Path

import numpy as np
import pytest

from modules.examples import even_sample, tf_examples
from tests.modules.examples.example_files import Serialize, write

IMAGES = np.arange(50, dtype=np.float32)[:, np.newaxis] / np.float32([50, 64, 99])
LABELS = np.arange(50) % 7


@pytest.fixture
def patterns(tmp_path: Path, serialize: Serialize) -> list[str]:
    """Fifty examples in two files."""
    records = [serialize(image, int(label)) for image, label in zip(IMAGES, LABELS, strict=True)]
    write(tmp_path / "shard-0", records[:20])
    write(tmp_path / "shard-1", records[20:])
    return [str(tmp_path / "shard-*")]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (6, [0, 10, 20, 29, 39, 49]),
        (1, [0]),
        (50, range(50)),
        (51, range(50)),
        (0, range(50)),
    ],
)
@pytest.mark.parametrize("batch_size", [7, 2048])
def test_every_so_many_in_the_order_of_the_files(
    patterns: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    expected: list[int],
    batch_size: int,
) -> None:
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", batch_size)
    found = even_sample.read(patterns, count, tmp_path / "images")
    rows = list(expected)
    assert found.rows.tolist() == rows
    np.testing.assert_array_equal(found.images, IMAGES[rows])
    np.testing.assert_array_equal(found.labels, LABELS[rows])
    assert isinstance(found.images, np.memmap)
    assert tf_examples.count(patterns) == 50


def test_no_examples(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no example files match"):
        even_sample.read([str(tmp_path / "none*")], 5, tmp_path / "images")
