"""Data sets that are made larger: real images first, then moved ones, always the same."""

from pathlib import Path

import numpy as np
import pytest

from data import dataset, growth, hard
from data.digits import make_digits
from data.errors import DataError
from data.forms import idx


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> dataset.DatasetFiles:
    folder = tmp_path_factory.mktemp("data") / "digits"
    make_digits(folder)
    return dataset.open_folder(folder)


def read(files: dataset.DatasetFiles) -> list[np.ndarray]:
    """Returns the four arrays in the order of FILE_NAMES."""
    return [idx.read_range(path, 0, idx.read_header(path).shape[0]) for path in files.paths]


def test_copies_are_the_images_moved_by_other_amounts_each_time(
    digits: dataset.DatasetFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "_AT_ONCE", 100)
    grown = growth.grow(digits, 3, tmp_path / "three")
    assert (grown.train_examples, grown.eval_examples) == (
        3 * digits.train_examples,
        3 * digits.eval_examples,
    )
    assert grown.num_classes == digits.num_classes
    for found, original in zip(read(grown), read(digits), strict=True):
        copies = found.reshape(3, *original.shape)
        np.testing.assert_array_equal(copies[0], original)
        if original.ndim == 1:
            assert (copies == original).all()
            continue
        pixels = (original.reshape(-1, 784) / np.float32(255)).astype(np.float32)
        for copy in (1, 2):
            moved = hard.make_hard(pixels, 0, seed=copy)
            np.testing.assert_array_equal(copies[copy].reshape(moved.shape), np.rint(moved * 255))
        assert (copies[1] != copies[2]).any(axis=(1, 2)).all()


def test_same_arguments_same_bytes(digits: dataset.DatasetFiles, tmp_path: Path) -> None:
    one, other = (growth.grow(digits, 2, tmp_path / name) for name in ("a", "b"))
    for first, second in zip(one.paths, other.paths, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_hard_images_are_none_of_the_copies(digits: dataset.DatasetFiles) -> None:
    """They would otherwise be trained on, where somebody grows the test images."""
    pixels, _ = dataset.read_split_range(digits.eval_images, digits.eval_labels, 0, 50)
    hard_images = hard.make_hard(pixels, 0)
    for copy in range(1, 4):
        assert (hard.make_hard(pixels, 0, seed=copy) != hard_images).any(axis=1).all()


def test_nothing_is_left_of_a_wrong_number(digits: dataset.DatasetFiles, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot make 0 times as many images"):
        growth.grow(digits, 0, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_command(
    digits: dataset.DatasetFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "twice"
    assert growth.main([str(digits.train_images.parent), "2", str(folder)]) == 0
    assert capsys.readouterr().out == (
        f"{folder}: {2 * digits.train_examples:,} training and {2 * digits.eval_examples:,} test "
        "images of folder-digits\n"
    )
    assert growth.main([str(tmp_path / "nowhere"), "2", str(folder)]) == 1
    assert "unknown data set" in capsys.readouterr().err
