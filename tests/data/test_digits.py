"""The offline digits: always the same bytes, fairly split, and left alone when right."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from data.dataset import Dataset
from data.digits import DIGITS_SHA256, is_whole, make_digits
from data.errors import DataError
from data.finding.opening import open_data
from data.forms.idx import read_header, read_range, write_idx
from data.forms.idx_checksums import sha256_of
from data.forms.idx_names import FILE_NAMES
from data.resolve import resolve_dataset
from data.splits import Split


def images_of(dataset: Dataset, split: Split) -> np.ndarray:
    reader = dataset.open()[split]
    return reader.read(0, len(reader))[0][..., 0]


def labels_of(dataset: Dataset, split: Split) -> np.ndarray:
    return dataset.open()[split].labels()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data") / "new" / "digits"
    make_digits(folder)
    return open_data(folder)


def test_bytes_are_the_known_ones(made: Dataset) -> None:
    assert [sha256_of(made.location / name) for name in FILE_NAMES] == [
        "a124f16befd1377d95f01e9a8371561b26eec5c4a469fd7537eb0a4a89011311",
        "36cc5812f3c26d5daba7960ac9b689090fa3e619dac9dd92fed613470d251329",
        "305037e05d59bac87e1a1ffd9d5812413cc2893f12fe4f119dc1021149572abb",
        "871a9da5cb92498b133295949ce7610c9d1a4c8aa84de8c3eaedc3d438299624",
    ]


def test_every_digit_is_in_one_split_and_a_fifth_of_each_class_in_eval(made: Dataset) -> None:
    train = labels_of(made, Split.TRAIN)
    held_out = labels_of(made, Split.EVAL)
    of_class = np.bincount(load_digits().target)
    np.testing.assert_array_equal(np.bincount(train) + np.bincount(held_out), of_class)
    np.testing.assert_array_equal(np.bincount(held_out), np.ceil(of_class / 5))


def test_images_look_like_mnist(made: Dataset) -> None:
    images = images_of(made, Split.TRAIN).astype(np.float64)
    assert images.max() == 255
    assert (images.max(axis=(1, 2)) > 200).all()
    ink = images.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = (images.sum(axis=3 - axis) * np.arange(28)).sum(axis=1) / ink
        assert np.abs(centre - 13.5).max() <= 0.5
    border = images.copy()
    border[:, 2:-2, 2:-2] = 0
    assert border.sum() / images.sum() < 0.001


def test_images_belong_to_their_labels(made: Dataset) -> None:
    """The class means tell the held-out digits apart."""
    images = images_of(made, Split.TRAIN) / 255
    labels = labels_of(made, Split.TRAIN)
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])
    held_out = images_of(made, Split.EVAL) / 255
    distances = ((held_out[:, None] - means) ** 2).sum(axis=(2, 3))
    right = distances.argmin(axis=1) == labels_of(made, Split.EVAL)
    assert right.mean() > 0.85


def test_images_are_the_digits_enlarged(made: Dataset) -> None:
    """Looked up where the 8x8 pixels went, the mean image is the mean of the original."""
    mean = images_of(made, Split.TRAIN).mean(axis=0)
    centres = [5, 7, 10, 12, 15, 17, 20, 22]
    original = load_digits().images.mean(axis=0)
    assert np.corrcoef(mean[np.ix_(centres, centres)].ravel(), original.ravel())[0, 1] > 0.95


def test_another_first_run_is_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, replace = tmp_path / "digits", os.replace

    def let_another_run_first(source: Path, target: Path) -> None:
        if target == folder:
            monkeypatch.setattr(os, "replace", replace)
            make_digits(folder)
        replace(source, target)

    monkeypatch.setattr(os, "replace", let_another_run_first)
    make_digits(folder)
    assert {path.name: sha256_of(path) for path in folder.iterdir()} == DIGITS_SHA256
    assert list(tmp_path.iterdir()) == [folder]


def test_right_files_are_not_touched(tmp_path: Path) -> None:
    make_digits(tmp_path)
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    make_digits(tmp_path)
    assert {path.name: path.stat().st_mtime for path in tmp_path.iterdir()} == dict.fromkeys(
        FILE_NAMES, 1.0
    )


def test_only_wrong_files_are_replaced(tmp_path: Path) -> None:
    make_digits(tmp_path)
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    (tmp_path / "other").write_text("kept")
    (tmp_path / FILE_NAMES[0]).write_bytes((tmp_path / FILE_NAMES[0]).read_bytes()[:-1])
    (tmp_path / FILE_NAMES[3]).unlink()
    make_digits(tmp_path)
    assert {name: sha256_of(tmp_path / name) for name in FILE_NAMES} == DIGITS_SHA256
    untouched = [name for name in FILE_NAMES if (tmp_path / name).stat().st_mtime == 1]
    assert untouched == [FILE_NAMES[1], FILE_NAMES[2]]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILE_NAMES, "other"])


def test_what_another_version_made_of_the_digits_is_made_anew(tmp_path: Path) -> None:
    """Whole files of the same sizes, in a cache that versions of the project share."""
    folder = tmp_path / "digits"
    make_digits(folder)
    for name in (FILE_NAMES[0], FILE_NAMES[2]):
        images = read_range(folder / name, 0, read_header(folder / name).shape[0])
        write_idx(folder / name, np.roll(images, 1, axis=2))
    assert not is_whole(folder)
    files = resolve_dataset("digits", None, tmp_path)
    assert {n: sha256_of(files.location / n) for n in FILE_NAMES} == DIGITS_SHA256
    assert is_whole(folder)


def test_other_digits_are_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DIGITS_SHA256, FILE_NAMES[2], "0" * 64)
    with pytest.raises(DataError, match=f"{FILE_NAMES[2]}: the digits .* differ"):
        make_digits(tmp_path / "digits")
    assert list(tmp_path.iterdir()) == []


def test_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "digits").write_text("a file")
    with pytest.raises(DataError, match="cannot write .*digits"):
        make_digits(tmp_path / "digits")
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]
