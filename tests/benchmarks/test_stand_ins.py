"""Stand-ins are read as the data sets of the catalogue are, from the same files."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import stand_ins
from data.catalogue import CATALOGUE
from data.finding.opening import open_data
from data.splits import Split


def make_digits(count: int) -> stand_ins.Digits:
    """Returns images by chance, as many of each digit; no two are alike, nor is one when turned."""
    random = np.random.default_rng(count)
    return random.integers(0, 256, (count, 28, 28), np.uint8), np.arange(count) % 10


@pytest.mark.parametrize("name", CATALOGUE)
def test_files_hold_what_was_made(tmp_path: Path, name: str) -> None:
    entry = CATALOGUE[name]
    splits = {Split.TRAIN: make_digits(250), Split.EVAL: make_digits(100)}
    stand_ins.write(entry, splits[Split.TRAIN], splits[Split.EVAL], tmp_path / "made")
    names = {member.name for member in entry.members} or {file.stored_name for file in entry.files}
    assert {path.name for path in (tmp_path / "made").iterdir()} == names
    found = open_data(tmp_path / "made")
    assert found.task.image_shape == entry.task.image_shape
    assert found.task.num_classes == entry.task.num_classes == len(entry.label_values)
    assert found.task.label_names == tuple(map(str, entry.label_values))
    for split, digits in splits.items():
        images, classes = stand_ins.of_classes(digits, entry.task.num_classes)
        if entry.task.image_shape[2] == 3:
            images = stand_ins.coloured(images)
        read, labels = found.open()[split].read(0, len(images))
        np.testing.assert_array_equal(read.squeeze(), images)
        np.testing.assert_array_equal(labels, classes)


def test_classes_are_digits_that_are_changed_in_ways_of_their_own() -> None:
    digits = make_digits(470)
    images, classes = stand_ins.of_classes(digits, 47)
    assert set(classes) == set(range(47))
    ways = {"none": lambda x: x, "turned": np.rot90, "mirrored": np.fliplr}
    ways |= {f"negative, {name}": lambda x, way=way: 255 - way(x) for name, way in ways.items()}
    found = {}
    for before, digit, after, label in zip(*digits, images, classes, strict=True):
        [way] = [name for name, change in ways.items() if np.array_equal(change(before), after)]
        assert found.setdefault(label, (digit, way)) == (digit, way)
    assert len(set(found.values())) == 47


def test_coloured_digits_keep_their_ink() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 3, 4] = 255
    found = stand_ins.coloured(images)
    assert (found[:, 5, 6] == 255).all() and (found[:, 0, 0] < 160).all()
    assert not np.array_equal(found[0, 0, 0], found[1, 0, 0])
