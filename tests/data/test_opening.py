"""A folder with four IDX files: found, checked, and each fault named."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from data.catalogue import CATALOGUE
from data.dataset import FILE_NAMES, open_folder, read_split_range
from data.errors import DataError
from data.forms.idx import write_idx
from data.forms.idx_checksums import sha256_of

TRAIN_IMAGES, TRAIN_LABELS, EVAL_IMAGES, EVAL_LABELS = FILE_NAMES


def test_sound_folder(folder: Path) -> None:
    files = open_folder(folder)
    assert files.paths == tuple(folder / name for name in FILE_NAMES)
    assert (files.name, files.num_classes, files.is_fallback) == ("small", 10, False)
    assert (files.train_examples, files.eval_examples) == (30, 20)
    assert str(folder) in files.source
    assert open_folder(folder, name="other").name == "other"


def test_gzip_dotted_names_and_preference(folder: Path) -> None:
    packed = folder / f"{TRAIN_IMAGES}.gz"
    packed.write_bytes(gzip.compress((folder / TRAIN_IMAGES).read_bytes()))
    assert open_folder(folder).train_images == folder / TRAIN_IMAGES
    (folder / TRAIN_IMAGES).unlink()
    (folder / EVAL_LABELS).rename(folder / "t10k-labels.idx1-ubyte")
    files = open_folder(folder)
    assert (files.train_images, files.train_examples) == (packed, 30)
    assert files.eval_labels == folder / "t10k-labels.idx1-ubyte"


def test_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none: no such folder; expected the four IDX files"):
        open_folder(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file: not a folder"):
        open_folder(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: the folder is empty"):
        open_folder(tmp_path / "empty")


def test_each_missing_file_is_named(folder: Path) -> None:
    (folder / TRAIN_LABELS).unlink()
    (folder / EVAL_IMAGES).unlink()
    with pytest.raises(DataError, match=f"small: {TRAIN_LABELS}, {EVAL_IMAGES} missing"):
        open_folder(folder)


@pytest.mark.parametrize("name", FILE_NAMES)
def test_length_of_every_file_is_checked(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(DataError, match=f"{name}: holds .* cut short"):
        open_folder(folder)


@pytest.mark.parametrize("name", [TRAIN_LABELS, EVAL_LABELS])
def test_fewer_labels_than_images(folder: Path, arrays: dict[str, np.ndarray], name: str) -> None:
    count = len(arrays[name])
    write_idx(folder / name, arrays[name][:-1])
    with pytest.raises(DataError, match=rf"holds {count} images, but .*{name} holds {count - 1}"):
        open_folder(folder)


@pytest.mark.parametrize("shape", [(30, 32, 32), (30, 784), (30, 28, 28, 1)])
def test_images_not_28x28(folder: Path, shape: tuple[int, ...]) -> None:
    write_idx(folder / TRAIN_IMAGES, np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match=r"train-images.*expected images of shape \(N, 28, 28\)"):
        open_folder(folder)


def test_labels_of_two_dimensions(folder: Path) -> None:
    write_idx(folder / EVAL_LABELS, np.zeros((20, 1), np.uint8))
    with pytest.raises(DataError, match=r"t10k-labels.*\(20, 1\), expected labels of shape \(N,\)"):
        open_folder(folder)


def test_split_without_examples(folder: Path) -> None:
    write_idx(folder / EVAL_IMAGES, np.zeros((0, 28, 28), np.uint8))
    write_idx(folder / EVAL_LABELS, np.zeros(0, np.uint8))
    with pytest.raises(DataError, match="t10k-images.*holds no image"):
        open_folder(folder)


def test_classes_follow_the_training_labels(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    write_idx(folder / TRAIN_LABELS, np.zeros(30, np.uint8))
    assert open_folder(folder).num_classes == 10
    labels = arrays[TRAIN_LABELS]
    labels[3] = 25
    write_idx(folder / TRAIN_LABELS, labels)
    assert open_folder(folder).num_classes == 26
    with pytest.raises(DataError, match=f"{TRAIN_LABELS}: label 25 at index 3 .* expected 0 to 9"):
        open_folder(folder, num_classes=10)
    assert open_folder(folder, num_classes=47).num_classes == 47


def test_eval_label_beyond_the_training_labels(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    labels = arrays[EVAL_LABELS]
    labels[[7, 9]] = 10
    write_idx(folder / EVAL_LABELS, labels)
    with pytest.raises(DataError, match=f"{EVAL_LABELS}: label 10 at index 7 .*0 to 9.*2 in all"):
        open_folder(folder)


def test_split_range_gives_the_raw_features(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    images, labels = read_split_range(folder / TRAIN_IMAGES, folder / TRAIN_LABELS, 4, 9)
    assert (images.dtype, images.shape) == (np.float32, (5, 784))
    assert (labels.dtype, labels.tolist()) == (np.int64, [4, 5, 6, 7, 8])
    assert images.min() >= 0 and images.max() <= 1
    np.testing.assert_array_equal(
        np.round(images * 255).astype(np.uint8).reshape(5, 28, 28), arrays[TRAIN_IMAGES][4:9]
    )
    none, _ = read_split_range(folder / TRAIN_IMAGES, folder / TRAIN_LABELS, 4, 4)
    assert none.shape == (0, 784)


def test_split_range_of_other_images(folder: Path) -> None:
    with pytest.raises(DataError, match="expected images of shape"):
        read_split_range(folder / TRAIN_LABELS, folder / TRAIN_LABELS, 0, 1)


def test_real_mnist_is_what_the_catalogue_says(mnist_dir: Path) -> None:
    files = open_folder(mnist_dir, num_classes=10)
    assert (files.train_examples, files.eval_examples) == (60_000, 10_000)
    for path, known in zip(files.paths, CATALOGUE["mnist"].files, strict=True):
        assert path.name.startswith(known.name)
        assert sha256_of(path) == known.sha256


def test_real_mnist_examples(mnist_dir: Path) -> None:
    files = open_folder(mnist_dir)
    images, labels = read_split_range(files.eval_images, files.eval_labels, 9_990, 10_000)
    assert labels.tolist() == [7, 8, 9, 0, 1, 2, 3, 4, 5, 6]
    assert (images.min(), images.max()) == (0, 1)
