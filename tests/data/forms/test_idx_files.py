"""IDX files as people have them: names, folders, shapes and dtypes of labels, and what is wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.splits import Split
from tests.data.samples import EVAL, TRAIN, assert_holds, images, labels, opened

COUNTS = (TRAIN, TRAIN, EVAL, EVAL)
Contents = dict[str, np.ndarray]


def contents(names: tuple[str, ...] = FILE_NAMES, dtype: type = np.uint8) -> Contents:
    arrays = (images(TRAIN)[..., 0], labels(TRAIN), images(EVAL)[..., 0], labels(EVAL))
    typed = [a.astype(dtype if a.ndim == 1 else np.uint8) for a in arrays]
    return dict(zip(names, typed, strict=True))


def write(folder: Path, made: Contents) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in made.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_idx(folder / name, array)
    return folder


def assert_is_sample(folder: Path) -> None:
    dataset = opened(folder)
    assert dataset.form == "idx"
    assert_holds(dataset, Split.TRAIN, images(TRAIN), labels(TRAIN))
    assert_holds(dataset, Split.EVAL, images(EVAL), labels(EVAL))


@pytest.mark.parametrize(
    "names",
    [
        FILE_NAMES,
        tuple(name.replace("-idx", ".idx") for name in FILE_NAMES),
        tuple(name.replace("t10k", "test") for name in FILE_NAMES),
        ("train_images", "train_labels", "val_images", "val_labels"),
        (
            *("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
            *("qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
        ),
        tuple(f"{name}/{name}" for name in FILE_NAMES),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_names(names: tuple[str, ...], is_packed: bool, tmp_path: Path) -> None:
    write(tmp_path, contents(names))
    if is_packed:  # under names that do not say so, too
        for name in names:
            (tmp_path / name).write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert_is_sample(tmp_path)


@pytest.mark.parametrize("below", ["raw", "MNIST/raw"])
def test_folders_further_down(below: str, tmp_path: Path) -> None:
    write(tmp_path / "mine" / below, contents())
    (tmp_path / "mine" / "__MACOSX").mkdir()
    assert_is_sample(tmp_path / "mine")


def test_the_unpacked_file_and_the_test_set_come_first(tmp_path: Path) -> None:
    write(tmp_path, contents())
    (tmp_path / f"{FILE_NAMES[0]}.gz").write_bytes(b"not looked at")
    write_idx(tmp_path / "val-images-idx3-ubyte", images(3)[..., 0])
    write_idx(tmp_path / "val-labels-idx1-ubyte", np.zeros(3, np.uint8))
    assert_is_sample(tmp_path)


def test_packing_files_anew_changes_nothing(tmp_path: Path) -> None:
    before = opened(write(tmp_path, contents()))
    packed = gzip.compress((tmp_path / FILE_NAMES[2]).read_bytes())
    (tmp_path / FILE_NAMES[2]).unlink()
    (tmp_path / f"{FILE_NAMES[2]}.gz").write_bytes(packed)
    assert opened(tmp_path) == before


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32])
def test_dtypes_of_labels(dtype: type, tmp_path: Path) -> None:
    assert_is_sample(write(tmp_path, contents(dtype=dtype)))


def test_columns_of_labels(tmp_path: Path) -> None:
    qmnist = np.zeros((EVAL, 8), np.int32)
    qmnist[:, 0], qmnist[:, 1:] = labels(EVAL), 4
    one_hot = np.eye(3, dtype=np.uint8)[labels(TRAIN)]
    write(tmp_path, contents() | {FILE_NAMES[1]: one_hot, FILE_NAMES[3]: qmnist})
    assert_is_sample(tmp_path)
    write(tmp_path, {FILE_NAMES[3]: labels(EVAL)[:, None].astype(np.int16)})
    assert_is_sample(tmp_path)


@pytest.mark.parametrize("shape", [(8, 8, 1), (64,)])
def test_shapes_of_grey_images(shape: tuple[int, ...], tmp_path: Path) -> None:
    made = contents()
    for name in FILE_NAMES[::2]:
        made[name] = made[name].reshape(-1, *shape)
    assert_is_sample(write(tmp_path, made))


def test_colours_and_odd_sizes(tmp_path: Path) -> None:
    made = contents() | {
        FILE_NAMES[0]: images(TRAIN, 5, 7, 3),
        FILE_NAMES[2]: images(EVAL, 5, 7, 3),
    }
    dataset = opened(write(tmp_path, made))
    assert dataset.task.image_shape == (5, 7, 3)
    assert_holds(dataset, Split.TRAIN, images(TRAIN, 5, 7, 3), labels(TRAIN))


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    names = tuple(f"emnist-letters-{name.replace('t10k', 'test')}" for name in FILE_NAMES)
    upright = {name: images(n, 5, 7) for name, n in zip(names[::2], COUNTS[::2], strict=True)}
    lying = {name: array[..., 0].transpose(0, 2, 1) for name, array in upright.items()}
    dataset = opened(write(tmp_path, contents(names) | lying))
    assert_holds(dataset, Split.TRAIN, upright[names[0]], labels(TRAIN))
    assert any("turned upright" in note for note in dataset.notes)


def test_several_sets(tmp_path: Path) -> None:
    for name in ("letters", "balanced"):
        write(tmp_path, contents(tuple(f"emnist-{name}-{file}" for file in FILE_NAMES)))
    with pytest.raises(DataError, match=r"files of 2 data sets \(emnist-balanced, emnist-letters"):
        opened(tmp_path)


def test_files_at_different_depths(tmp_path: Path) -> None:
    write(tmp_path, contents((f"{FILE_NAMES[0]}/{FILE_NAMES[0]}", *FILE_NAMES[1:])))
    with pytest.raises(DataError, match="are not side by side; put all into one folder"):
        opened(tmp_path)


@pytest.mark.parametrize("missing", [(1,), (3,), (0, 1), (0, 1, 2)])
def test_each_missing_file_is_named(missing: tuple[int, ...], tmp_path: Path) -> None:
    write(tmp_path, contents())
    for number in missing:
        (tmp_path / FILE_NAMES[number]).unlink()
    names = ", ".join(FILE_NAMES[number] for number in missing)
    with pytest.raises(DataError, match=f"{tmp_path}: {names} missing; expected the four IDX"):
        opened(tmp_path)


def test_a_test_set_is_made(tmp_path: Path) -> None:
    made = contents()
    dataset = opened(write(tmp_path, {name: made[name] for name in FILE_NAMES[:2]}))
    assert (dataset.train_examples, dataset.eval_examples) == (9, 3)
    assert any("a fifth of the images of each class was set aside" in n for n in dataset.notes)


@pytest.mark.parametrize(
    ("name", "array", "problem"),
    [
        (0, np.zeros((TRAIN, 8, 8, 2), np.uint8), r"shape is .12, 8, 8, 2., expected images of"),
        (0, np.zeros((TRAIN, 63), np.uint8), "expected images of shape"),
        (0, np.zeros((TRAIN, 0, 8), np.uint8), "expected images of shape"),
        (0, np.zeros((TRAIN, 8, 8), np.int16), "holds int16, expected images of uint8"),
        (0, np.zeros((TRAIN - 1, 8, 8), np.uint8), "holds 11 images, but .* holds 12 labels"),
        (1, np.zeros((TRAIN, 3), np.uint8), "shape is .12, 3., expected labels of shape"),
        (1, np.full((TRAIN, 2), 1, np.uint8), "expected labels of shape"),
        (1, np.zeros((TRAIN, 2, 1), np.uint8), "expected labels of shape"),
        (1, np.zeros((TRAIN, 2000), np.uint8), "expected labels of shape"),
    ],
)
def test_what_cannot_be_read_is_said(
    name: int, array: np.ndarray, problem: str, tmp_path: Path
) -> None:
    write(tmp_path, contents() | {FILE_NAMES[name]: array})
    with pytest.raises(DataError, match=f"{tmp_path / FILE_NAMES[name]}|{problem}") as caught:
        opened(tmp_path)
    with pytest.raises(DataError, match=problem):
        raise caught.value


@pytest.mark.parametrize("name", FILE_NAMES)
@pytest.mark.parametrize("change", [-1, 1])
def test_length_of_every_file_is_checked(name: str, change: int, tmp_path: Path) -> None:
    write(tmp_path, contents())
    whole = (tmp_path / name).read_bytes()
    damaged = whole[:-1] if change < 0 else whole + b"\0"
    for written in (damaged, gzip.compress(damaged)):
        (tmp_path / name).write_bytes(written)
        with pytest.raises(DataError, match=f"{name}: holds .* (cut short|too long)"):
            opened(tmp_path)
