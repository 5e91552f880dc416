"""Any path becomes a checked data set, or one sentence; and what is said about the labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.dataset import changed, check_unchanged, range_size, read_checked
from data.errors import DataError
from data.finding.opening import Expected, open_data
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.splits import Split
from data.task import Task
from tests.data.samples import EVAL, TRAIN, assert_holds, images, labels, opened


def save(folder: Path, train: Any = None, test: Any = None, **changes: np.ndarray) -> Path:
    """Writes an .npz with these labels, and returns its folder."""
    train = labels(TRAIN) if train is None else np.array(train)
    test = labels(EVAL) if test is None else np.array(test)
    arrays = {
        "x_train": images(len(train)),
        "y_train": train,
        "x_test": images(len(test)),
        "y_test": test,
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "x.npz", **arrays | changes)
    return folder


def test_idx_files_of_mnists_form(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    dataset = opened(folder)
    assert dataset.task == Task("small", (28, 28, 1), tuple("0123456789"))
    assert (dataset.name, dataset.form, dataset.location) == ("small", "idx", folder)
    assert dataset.patterns == {Split.TRAIN: "train-*", Split.EVAL: "t10k-*"}
    assert (dataset.train_examples, dataset.eval_examples) == (30, 20)
    assert dataset.class_counts == {Split.TRAIN: (3,) * 10, Split.EVAL: (2,) * 10}
    assert dataset.source == f"small from {folder}"
    assert dataset.summary == f"small from {folder}: 30 training and 20 test images, 10 classes"
    pixels = arrays[FILE_NAMES[2]][..., None]
    assert_holds(dataset, Split.EVAL, pixels, arrays[FILE_NAMES[3]])
    raw, numbers = dataset.features(Split.EVAL, 4, 9)
    assert (raw.dtype, raw.shape, numbers.tolist()) == (np.float32, (5, 784), [4, 5, 6, 7, 8])
    expected = pixels[4:9].reshape(5, 784).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(raw, expected)


def test_digests_are_of_the_content_whatever_the_form(folder: Path, tmp_path: Path) -> None:
    dataset = open_data(folder)
    raw = {s: reader.read(0, len(reader)) for s, reader in dataset.open().items()}
    train, test = raw[Split.TRAIN], raw[Split.EVAL]
    other = save(
        tmp_path / "npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1]
    )
    assert open_data(other).digests == dataset.digests
    save(other, x_train=train[0], y_train=train[1] + 1, x_test=test[0], y_test=test[1] + 1)
    assert open_data(other).digests == dataset.digests
    save(other, x_train=train[0], y_train=train[1][::-1], x_test=test[0], y_test=test[1])
    found = open_data(other).digests
    assert found[Split.TRAIN] != dataset.digests[Split.TRAIN]
    assert found[Split.EVAL] == dataset.digests[Split.EVAL]


@pytest.mark.parametrize("form", ["idx", "npz"])
def test_images_are_resized(form: str, tmp_path: Path) -> None:
    tall = np.zeros((TRAIN, 300, 4, 3), np.uint8)
    tall[:, :150] = 200
    if form == "npz":
        save(tmp_path, x_train=tall, x_test=tall[:EVAL])
    else:
        arrays = (tall, labels(TRAIN, 3), tall[:EVAL], labels(EVAL, 3))
        for name, array in zip(FILE_NAMES, arrays, strict=True):
            write_idx(tmp_path / name, array.astype(np.uint8))
    with pytest.raises(DataError, match="the images are 300x4x3 .* set IMAGE_SIZE to"):
        open_data(tmp_path)
    dataset = open_data(tmp_path, size=(10, 2))
    assert (dataset.task.image_shape, dataset.image_size) == ((10, 2, 3), (10, 2))
    assert dataset.name.endswith("-10x2")
    found = dataset.open()[Split.TRAIN].read(0, TRAIN)[0]
    assert (found[:, :4] == 200).all() and (found[:, 6:] == 0).all()
    assert_holds(dataset, Split.TRAIN, found, labels(TRAIN))


def test_large_images_are_resized_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.forms.views._BYTES_AT_ONCE", 3 * 8 * 8)
    dataset = open_data(save(tmp_path), size=(4, 4))
    assert_holds(dataset, Split.TRAIN, dataset.open()[Split.TRAIN].read(0, TRAIN)[0], labels(TRAIN))


@pytest.mark.parametrize(
    ("train", "test", "names", "note"),
    [
        ([0, 5, 9] * 40, [0, 5, 9] * 40, "0 5 9", "labels 0, 5, 9 became classes 0, 1, 2"),
        ([3] * 120, [3] * 120, "3", "a single class, so that any result, 100% too, means nothing"),
        ([0, 2] * 60, [0, 1, 2] * 40, "0 1 2", "no training image of class 1: cannot be learnt"),
        ([0, 1, 2] * 40, [0] * 120, "0 1 2", "no test image of classes 1, 2: cannot be judged"),
        ([*[0, 1] * 60, 255], [0, 1] * 60, "0 1 255", "label 255 is a class with 1 training image"),
        ([0, 1] * 10, [0, 1] * 60, "0 1", "only 20 training images, too few to learn much from"),
        ([0, 1] * 60, [0, 1] * 10, "0 1", "only 20 test images, too few for a reliable accuracy"),
        ([0, 1] * 60, [0, 1] * 60, "0 1", None),
        ([0, 255] * 60, [0, 255] * 60, "0 255", "labels 0, 255 became classes 0, 1"),
    ],
)
def test_labels_and_what_is_said_about_them(
    train: list[int], test: list[int], names: str, note: str | None, tmp_path: Path
) -> None:
    dataset = open_data(save(tmp_path, train, test))
    assert dataset.task.label_names == tuple(names.split())
    if note is None:
        assert dataset.notes == ()
    else:
        assert any(note in said for said in dataset.notes)
    assert ("'ignore'" in str(dataset.notes)) == (note is not None and "255 is" in note)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"y_train": np.arange(1200), "x_train": images(1200)},
            "1,200 different labels .* classes, or",
        ),
        ({"x_test": images(EVAL, 9, 8)}, "training images are 8x8x1, but test images are 9x8x1"),
        ({"x_test": images(EVAL, 8, 8, 3)}, "but test images are 8x8x3"),
        ({"x_test": images(0), "y_test": labels(0)}, "holds no image as a test, expected at least"),
        ({"x_train": images(TRAIN) * 0 + 7}, "all pixels of all training images are 7, expected"),
        ({"x_train": images(TRAIN) % 2}, "largest pixel of all training images is 1, .* by 255"),
    ],
)
def test_what_contradicts_itself(
    changes: dict[str, np.ndarray], problem: str, tmp_path: Path
) -> None:
    save(tmp_path, **changes)
    with pytest.raises(DataError, match=f"^{tmp_path}: .*{problem}"):
        open_data(tmp_path)


def test_more_examples_than_can_be(tmp_path: Path) -> None:
    for name, shape in zip(FILE_NAMES, [(2 * 10**8, 1, 1), (2 * 10**8,)] * 2, strict=True):
        write_idx(tmp_path / name, np.zeros((1, *shape[1:]), np.uint8))
        with open(tmp_path / name, "r+b") as file:
            file.seek(4)
            file.write(shape[0].to_bytes(4, "big"))
            file.truncate(4 + 4 * len(shape) + shape[0])
    with pytest.raises(DataError, match="says that it holds 200,000,000 images for training"):
        open_data(tmp_path)


def test_expected_labels(tmp_path: Path) -> None:
    task = Task("letters", (1, 1, 1), tuple("abcd"))
    expected = Expected(task, (1, 2, 3, 4))
    dataset = open_data(save(tmp_path, [1, 3] * 60, [1, 3] * 60), expected=expected)
    assert (dataset.task.label_names, dataset.task.image_shape) == (tuple("abcd"), (8, 8, 1))
    assert dataset.class_counts[Split.TRAIN] == (60, 0, 60, 0)
    save(tmp_path, [0, 1], [1, 3])
    with pytest.raises(DataError, match="label 0 is out of range, expected 1 to 4"):
        open_data(tmp_path, expected=expected)


def test_ranges_that_are_no_longer_what_was_checked(tmp_path: Path) -> None:
    dataset = open_data(save(tmp_path))
    size, digests = range_size(dataset.task), dataset.range_digests
    check_unchanged(dataset.open(), digests, size, "here")
    reader = dataset.open()[Split.TRAIN]
    with pytest.raises(DataError, match="^here: is no longer what was checked .*run again$"):
        read_checked(reader, 0, TRAIN - 1, digests[Split.TRAIN][0], "here")
    for damage in (lambda: save(tmp_path, labels(TRAIN)[::-1]), (tmp_path / "x.npz").unlink):
        damage()
        with pytest.raises(DataError, match="^here: is no longer what was checked"):
            check_unchanged(dict.fromkeys(Split, reader), digests, size, "here")
    assert "because" in str(changed("here", DataError("because")))


def test_range_sizes_follow_the_images() -> None:
    sizes = [range_size(Task("x", shape, ("a",))) for shape in ((28, 28, 1), (224, 224, 3))]
    assert sizes == [10_000, (1 << 25) // (224 * 224 * 3)]
