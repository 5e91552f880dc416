"""Small images with labels, and what every reader of them must do."""

import json
import pickle
from pathlib import Path

import numpy as np

from data.dataset import Dataset, digest_of, range_size, ranges
from data.finding.opening import open_data
from data.forms.registry import open_splits
from data.splits import Split

TRAIN, EVAL = 12, 6


def images(count: int, height: int = 8, width: int = 8, channels: int = 1) -> np.ndarray:
    """Random images uint8[N, H, W, C], the same for the same arguments."""
    random = np.random.default_rng([count, height, width, channels])
    return random.integers(0, 256, (count, height, width, channels), np.uint8)


def labels(count: int, classes: int = 3) -> np.ndarray:
    """Labels int64[N], 0 to classes - 1 again and again."""
    return np.arange(count) % classes


def assert_holds(
    dataset: Dataset, split: Split, expected: np.ndarray, expected_labels: np.ndarray
) -> None:
    """Checks a split through every way in which it is read, here and in another process."""
    options = json.loads(json.dumps(dataset.options))
    reader = pickle.loads(pickle.dumps(open_splits(dataset.location, dataset.form, options)[split]))
    assert len(reader) == len(expected)
    assert reader.image_shape == dataset.task.image_shape == expected.shape[1:]
    np.testing.assert_array_equal(reader.labels(), expected_labels)
    for size in (1, 4, 5, len(expected)):
        bounds = ranges(len(reader), size)
        parts = list(reader.parts(size))
        assert [len(found) for _, found in parts] == [stop - start for start, stop in bounds]
        for (start, stop), part in zip(bounds, parts, strict=True):
            for found, found_labels in (part, reader.read(start, stop)):
                assert (found.dtype, found_labels.dtype) == (np.uint8, np.int64)
                np.testing.assert_array_equal(found, expected[start:stop])
                np.testing.assert_array_equal(found_labels, expected_labels[start:stop])
    some = np.arange(0, len(expected), 2)
    np.testing.assert_array_equal(reader.take(some)[0], expected[some])
    whole = [digest_of(reader.read(*r)) for r in ranges(len(reader), range_size(dataset.task))]
    assert dataset.range_digests[split] == tuple(whole)


def opened(path: Path, **options: tuple[int, int]) -> Dataset:
    """Opens a data set and checks that its patterns name files below its location."""
    dataset = open_data(path, **options)
    for pattern in dataset.patterns.values():
        assert any(found.is_file() for found in dataset.location.glob(pattern)), pattern
    return dataset
