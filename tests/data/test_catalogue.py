"""The catalogue agrees with itself, with the format of the files, and with what is published."""

import re

import numpy as np
import pytest

from data.catalogue import CATALOGUE
from data.forms.idx_names import FILE_NAMES, role_of


@pytest.mark.parametrize("name", CATALOGUE)
def test_entry_is_complete(name: str) -> None:
    entry = CATALOGUE[name]
    assert entry.name == name and entry.title
    assert len(entry.label_values) == entry.task.num_classes
    assert entry.licence and entry.authors
    for file in entry.files:
        sums = re.fullmatch("[0-9a-f]{64}", file.sha256), re.fullmatch("[0-9a-f]{32}", file.md5)
        assert any(sums) and (sums[0] or entry.published)
    assert len({(file.sha256, file.md5) for file in entry.files}) == len(entry.files)
    for mirror in entry.mirrors:
        assert re.fullmatch("https?://.+/", mirror)
        # Without a secure connection, the checksum alone says that it is the right file.
        assert mirror.startswith("https:") or all(file.md5 for file in entry.files)
    assert 0.5 < entry.task.min_accuracy < 1


@pytest.mark.parametrize("name", [name for name in CATALOGUE if not CATALOGUE[name].members])
def test_idx_files_are_four_of_the_right_sizes(name: str) -> None:
    entry = CATALOGUE[name]
    roles = [role_of(file.name)[1] for file in entry.files]
    assert roles == [role_of(file)[1] for file in FILE_NAMES]
    columns = 32 if name == "qmnist" else 1
    header = 12 if name == "qmnist" else 8
    counts = entry.train_examples, entry.eval_examples
    sizes = [(16 + 784 * count, header + columns * count) for count in counts]
    assert [file.size for file in entry.files] == [size for pair in sizes for size in pair]


@pytest.mark.parametrize("name", [name for name in CATALOGUE if CATALOGUE[name].members])
def test_archives_hold_both_splits(name: str) -> None:
    entry = CATALOGUE[name]
    assert len(entry.files) == 1
    assert all("/" not in member.name and ".." not in member.path for member in entry.members)
    size = entry.task.num_pixels + 1
    total = sum(member.size for member in entry.members)
    examples = entry.train_examples + entry.eval_examples
    assert examples * size <= total <= examples * size + 1_000_000


def test_labels() -> None:
    assert CATALOGUE["mnist"].task.label_names == tuple("0123456789")
    letters = CATALOGUE["emnist-letters"]
    names = dict(zip(letters.label_values, letters.task.label_names, strict=True))
    assert (len(names), names[1], names[26]) == (26, "A", "Z")
    balanced = CATALOGUE["emnist-balanced"].task.label_names
    assert (len(balanced), balanced[10], balanced[36], balanced[46]) == (47, "A", "a", "t")
    assert not {*"cijklmopsuvwxyz"} & {*balanced}  # alike in both cases, and so capitals


def test_only_what_may_be_mirrored_is_flipped() -> None:
    flipped = {name for name, entry in CATALOGUE.items() if entry.task.augmentation.flip}
    assert flipped == {"fashion-mnist", "cifar-10"}
    assert {np.prod(entry.task.image_shape) for entry in CATALOGUE.values()} == {784, 3072}
