"""Where a data set is found, what it is called, and what is said where there is none."""

import os
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.finding.names import name_of
from data.finding.opening import open_data
from data.forms.registry import may_belong
from tests.data.samples import TRAIN, images, labels


def save(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=images(TRAIN), y=labels(TRAIN))


def test_one_folder_or_two_further_down(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b" / "c" / "x.npz")
    for path in (tmp_path / "a", tmp_path / "a" / "b" / "c"):
        assert open_data(path).location == tmp_path / "a" / "b" / "c"
    with pytest.raises(DataError, match="holds a, in no form that is known; expected the four IDX"):
        open_data(tmp_path)


def test_several_further_down(tmp_path: Path) -> None:
    for name in ("MNIST", "FashionMNIST"):
        save(tmp_path / name / "raw" / "x.npz")
    found = f"holds 2 data sets, {tmp_path}/FashionMNIST/raw and {tmp_path}/MNIST/raw; give one"
    with pytest.raises(DataError, match=found):
        open_data(tmp_path)


def test_damage_further_down_is_told_where_nothing_else_is_found(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x.npz").write_bytes(b"")
    with pytest.raises(DataError, match="x.npz: expected a whole .npz file"):
        open_data(tmp_path)
    save(tmp_path / "other" / "x.npz")
    assert open_data(tmp_path).name == "other"


def touch(path: Path) -> None:
    path.write_text("x")


@pytest.mark.parametrize(
    ("name", "make", "problem"),
    [
        ("none", lambda path: None, "none: no such folder; expected the four IDX files"),
        ("empty", Path.mkdir, "empty: the folder is empty; expected"),
        ("x.zip", touch, "x.zip: is an archive; unpack it, and give the folder"),
        ("x.txt", touch, "x.txt: not a folder, and no .npz or CSV file with images"),
        ("x.csv", touch, "x.csv: not a folder, and no .npz or CSV file with images"),
        ("fifo", os.mkfifo, "fifo: not a folder"),
    ],
)
def test_paths_without_data(name: str, make, problem: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    with pytest.raises(DataError, match=problem):
        open_data(tmp_path / name)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["data.tar.gz", "readme"], "holds the archive data.tar.gz; unpack it first"),
        (["a.png", "b.jpg"], "holds images, but no folder for each class; put those of each class"),
        (["a.pt"], "holds pickled objects, which are never read; save the arrays with numpy.savez"),
        (list("abcdefg"), "holds a, b, c, d, e, ..., in no form that is known"),
        ([".hidden"], "holds hidden files alone, in no form"),
    ],
)
def test_what_a_folder_holds_instead(names: list[str], problem: str, tmp_path: Path) -> None:
    for name in names:
        touch(tmp_path / name)
    with pytest.raises(DataError, match=f"^{tmp_path}: {problem}.*; expected the four IDX files"):
        open_data(tmp_path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("mine", "mine"),
        ("FashionMNIST/raw", "FashionMNIST-raw"),
        ("birds/data/Images", "birds-data-Images"),
        ("a/b/data/raw/png", "data-raw-png"),
        ("archive/digits", "folder-digits"),
    ],
)
def test_names_of_folders(path: str, name: str, tmp_path: Path) -> None:
    (tmp_path / path).mkdir(parents=True)
    assert name_of(tmp_path / path, frozenset(["digits"])) == name


def test_names_of_files(tmp_path: Path) -> None:
    for file in ("digits.npz", "mine.csv.gz", "data.npz"):
        touch(tmp_path / file)
    taken = frozenset(["digits"])
    assert name_of(tmp_path / "digits.npz", taken) == "file-digits"
    assert name_of(tmp_path / "mine.csv.gz", taken) == "mine"
    assert name_of(tmp_path / "data.npz", taken) == f"{tmp_path.name}-data"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("train-images-idx3-ubyte.gz", True),
        ("archive/MNIST/raw/t10k-labels-idx1-ubyte", True),
        ("train/cat/1.JPG", True),
        ("x.npz", True),
        ("test.csv.gz", True),
        ("cifar-10-batches-bin/data_batch_1.bin", True),
        ("batches.meta.txt", True),
        ("notes.txt", False),
        ("train-more/file", False),
        ("a/b/c/d/e/f.png", False),
    ],
)
def test_files_that_may_belong_to_a_data_set(path: str, expected: bool) -> None:
    assert may_belong(path) is expected
