"""CSV files of images: Kaggle's and others' columns, labels that are names, and damage."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.forms.tables import csv_rows
from data.splits import Split
from tests.data.samples import EVAL, TRAIN, assert_holds, images, labels, opened

HEADER = ",".join(["label", *(f"pixel{number}" for number in range(64))])


def row(label: object, pixels: np.ndarray) -> str:
    return ",".join(map(str, (label, *pixels.ravel())))


def table(count: int, header: str = "", names: list[str] | None = None) -> str:
    """Rows with the label first, as text."""
    rows = map(row, names or labels(count).tolist(), images(count))
    return "\n".join([*([header] if header else []), *rows]) + "\n"


@pytest.mark.parametrize("header", ["", HEADER])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "test.csv"),
        ("mnist_train.csv", "mnist_test.csv"),
        ("fashion-mnist_train.csv", "fashion-mnist_test.csv.gz"),
    ],
)
def test_two_tables(names: tuple[str, str], end: str, header: str, tmp_path: Path) -> None:
    for name, count in zip(names, (TRAIN, EVAL), strict=True):
        content = table(count, header).replace("\n", end).encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    dataset = opened(tmp_path)
    assert (dataset.form, dataset.task.image_shape) == ("csv", (8, 8, 1))
    assert_holds(dataset, Split.TRAIN, images(TRAIN), labels(TRAIN))
    assert_holds(dataset, Split.EVAL, images(EVAL), labels(EVAL))


def test_kaggles_test_set_without_labels_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(table(TRAIN, HEADER))
    unlabelled = [line.partition(",")[2] for line in table(EVAL, HEADER).splitlines()]
    (tmp_path / "test.csv").write_text("\n".join(unlabelled))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    dataset = opened(tmp_path)
    assert (dataset.train_examples, dataset.eval_examples) == (9, 3)
    assert dataset.notes[0] == "test.csv has no labels and was passed over"
    (tmp_path / "test.csv").write_text("\n".join(unlabelled[1:]))  # nor a header
    assert opened(tmp_path).notes == dataset.notes
    (tmp_path / "train.csv").unlink()
    with pytest.raises(DataError, match=r"test\.csv: there is no column with labels; expected"):
        opened(tmp_path)


def test_labels_that_are_names_and_stand_last(tmp_path: Path) -> None:
    names = [("cat", '"dog"', " ox ")[label] for label in labels(TRAIN)]
    rows = [line.partition(",") for line in table(TRAIN, HEADER, names).splitlines()]
    last = "\n".join(f"{rest},{label}" for label, _, rest in rows).replace("label", "Class")
    (tmp_path / "animals.csv").write_text("\ufeff" + last)
    dataset = opened(tmp_path / "animals.csv")
    assert (dataset.name, dataset.task.label_names) == ("animals", ("cat", "dog", "ox"))
    first = dataset.open()[Split.TRAIN].read(0, 9)[0]
    assert {image.tobytes() for image in first} < {image.tobytes() for image in images(TRAIN)}


def test_numbers_are_sorted_as_numbers(tmp_path: Path) -> None:
    values = [str((10, 9, -1)[label]) for label in labels(TRAIN)]
    (tmp_path / "x.csv").write_text(table(TRAIN, "", values))
    dataset = opened(tmp_path)
    assert dataset.task.label_names == ("-1", "9", "10")
    assert "labels -1, 9, 10 became classes 0, 1, 2" in dataset.notes


def test_colours(tmp_path: Path) -> None:
    rows = list(map(row, labels(TRAIN), images(TRAIN, 4, 4, 3)))
    (tmp_path / "train.csv").write_text("\n".join(rows))
    (tmp_path / "test.csv").write_text("\n".join(rows))
    assert_holds(opened(tmp_path), Split.TRAIN, images(TRAIN, 4, 4, 3), labels(TRAIN))


def test_rows_far_from_a_remembered_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_EVERY", 5)
    for name, count in (("train.csv", TRAIN), ("test.csv", EVAL)):
        (tmp_path / name).write_text(table(count, HEADER).replace("\n", "\n\n"))
    assert_holds(opened(tmp_path), Split.TRAIN, images(TRAIN), labels(TRAIN))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("\n1,", "\n1,256,", "row 2 holds 65 pixels, expected 64 as in the first"),
        ("\n2,", "\n2,x", "row 3 holds 'x.*', expected pixels as whole numbers from 0 to 255"),
        ("\n1,", "\n1,-", "row 2 holds '-.*', expected pixels"),
        ("\n1,", "\n1,9", "row 2 holds '9.*', expected pixels"),
        ("\n1,", "\nx,", "there is a label 'x' among numbers, expected whole numbers"),
        ("\n1,", "\n1.5,", "there is a label '1.5' among numbers"),
        ("\n1,", "\n1,\xff", "is no text in UTF-8"),
        ("\n1,", "\n1," + "1" * (1 << 21), "a row is longer than 1048576 bytes"),
        ("\n1,", "\n1,7", "row 2 holds '7|row 2 holds"),
    ],
)
def test_damage_is_said(old: str, new: str, problem: str, tmp_path: Path) -> None:
    content = table(TRAIN).replace(old, new, 1)
    (tmp_path / "train.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=rf"train\.csv: {problem}"):
        opened(tmp_path)


def test_pixels_of_no_square(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n".join("0," + ",".join("1" * 50) for _ in range(9)))
    with pytest.raises(DataError, match="there are 50 pixels in a row, expected those of a square"):
        opened(tmp_path)


def test_tables_that_do_not_tell_what_they_are_for(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(table(TRAIN))
    with pytest.raises(DataError, match=r"a\.csv, b\.csv hold images; expected one named train"):
        opened(tmp_path)
    (tmp_path / "a.csv").rename(tmp_path / "my-train.csv")
    (tmp_path / "b.csv").rename(tmp_path / "your-train.csv")
    with pytest.raises(DataError, match=r"my-train\.csv and your-train\.csv are both for train"):
        opened(tmp_path)


def test_other_tables_are_none_of_images(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name,age\nme,1\n")
    (tmp_path / "empty.csv").write_text("")
    os.mkfifo(tmp_path / "fifo.csv")
    with pytest.raises(DataError, match="holds empty.csv, fifo.csv, people.csv, in no form"):
        opened(tmp_path)


def test_a_gzip_file_cut_short(tmp_path: Path) -> None:
    packed = gzip.compress(table(TRAIN).encode())
    (tmp_path / "train.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"train\.csv\.gz: expected a whole gzip file"):
        opened(tmp_path)


def test_names_of_labels_keep_no_quotes(tmp_path: Path) -> None:
    names = [str(name) for name in np.array(["a b", "c"])[labels(TRAIN, 2)]]
    (tmp_path / "x.csv").write_text(table(TRAIN, "", [f'"{name}"' for name in names]))
    assert opened(tmp_path).task.label_names == ("a b", "c")
