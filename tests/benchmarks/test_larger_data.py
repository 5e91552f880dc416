"""Data sets that are made larger: real images first, then moved ones, always the same."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import larger_data
from data import dataset, hard
from data.dataset import Dataset
from data.digits import make_digits
from data.errors import DataError
from data.finding.opening import open_data
from data.forms.idx_names import FILE_NAMES
from data.splits import Split


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data") / "digits"
    make_digits(folder)
    return open_data(folder)


def read(found: Dataset) -> list[np.ndarray]:
    """Returns images uint8[N, 28, 28, 1] and labels of the training split, then of the other."""
    splits = found.open().values()
    return [array for reader in splits for array in reader.read(0, len(reader))]


def test_copies_are_the_images_moved_by_other_amounts_each_time(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "RANGE_SIZE", 100)
    grown = larger_data.grow(digits, 3, tmp_path / "three")
    assert (grown.train_examples, grown.eval_examples) == (
        3 * digits.train_examples,
        3 * digits.eval_examples,
    )
    assert grown.task.num_classes == digits.task.num_classes
    for found, original in zip(read(grown), read(digits), strict=True):
        copies = found.reshape(3, *original.shape)
        np.testing.assert_array_equal(copies[0], original)
        if original.ndim == 1:
            assert (copies == original).all()
            continue
        pixels = (original / np.float32(255)).astype(np.float32)
        for copy in (1, 2):
            moved = hard.make_hard(pixels, 0, seed=copy)
            np.testing.assert_array_equal(copies[copy], np.rint(moved * 255))
        assert (copies[1] != copies[2]).any(axis=(1, 2, 3)).all()


def test_same_arguments_same_bytes(digits: Dataset, tmp_path: Path) -> None:
    one, other = (larger_data.grow(digits, 2, tmp_path / name) for name in ("a", "b"))
    for name in FILE_NAMES:
        assert (one.location / name).read_bytes() == (other.location / name).read_bytes()


def test_colours_and_more_classes_than_a_byte_holds(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 5, 7, 3), np.uint8)
    np.savez(tmp_path / "x.npz", x=images, y=np.repeat(np.arange(300) * 2, 2))
    original = open_data(tmp_path)
    grown = larger_data.grow(original, 2, tmp_path / "grown")
    assert grown.task == original.task
    assert grown.class_counts[Split.EVAL] == tuple(2 * n for n in original.class_counts[Split.EVAL])


def test_hard_images_are_none_of_the_copies(digits: Dataset) -> None:
    """They would otherwise be trained on, where somebody grows the test images."""
    pixels = digits.features(Split.EVAL, 0, 50)[0].reshape(-1, 28, 28, 1)
    hard_images = hard.make_hard(pixels, 0)
    for copy in range(1, 4):
        assert (hard.make_hard(pixels, 0, seed=copy) != hard_images).any(axis=(1, 2, 3)).all()


def test_nothing_is_left_of_a_wrong_number(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot make 0 times as many images"):
        larger_data.grow(digits, 0, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_command(digits: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "twice"
    assert larger_data.main([str(digits.location), "2", str(folder)]) == 0
    assert capsys.readouterr().out == (
        f"{folder}: {2 * digits.train_examples:,} training and {2 * digits.eval_examples:,} test "
        "images of folder-digits\n"
    )
    assert larger_data.main([str(tmp_path / "nowhere"), "2", str(folder)]) == 1
    assert "unknown data set" in capsys.readouterr().err
