""".npz files: names, dtypes that convert exactly, and members that are not what they say."""

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.splits import Split
from tests.data.samples import EVAL, TRAIN, assert_holds, images, labels, opened

GREY, GREY_EVAL = images(TRAIN)[..., 0], images(EVAL)[..., 0]


def arrays(**changes: np.ndarray) -> dict[str, np.ndarray]:
    made = {"x_train": GREY, "y_train": labels(TRAIN), "x_test": GREY_EVAL, "y_test": labels(EVAL)}
    return made | changes


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("X_train", "Y_train", "X_val", "Y_val"),
    ],
)
def test_names_of_arrays(names: tuple[str, ...], save: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    save(tmp_path / "mine" / "some.npz", **dict(zip(names, arrays().values(), strict=True)))
    for path in (tmp_path / "mine", tmp_path / "mine" / "some.npz"):
        dataset = opened(path)
        assert (dataset.form, dataset.name) == ("npz", path.stem)
        assert_holds(dataset, Split.TRAIN, images(TRAIN), labels(TRAIN))
        assert_holds(dataset, Split.EVAL, images(EVAL), labels(EVAL))


def test_kmnists_four_files(tmp_path: Path) -> None:
    names = ("train-imgs", "train-labels", "test-imgs", "test-labels")
    for name, array in zip(names, arrays().values(), strict=True):
        np.savez_compressed(tmp_path / f"kmnist-{name}.npz", array)
    assert_holds(opened(tmp_path), Split.EVAL, images(EVAL), labels(EVAL))
    np.savez(tmp_path / "k49-train-imgs.npz", GREY)
    with pytest.raises(DataError, match="both hold arr_0; give one"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        lambda pixels: pixels / np.float32(255),
        lambda pixels: pixels / 255.0,
        lambda pixels: pixels * np.float32(1 / 255),
        lambda pixels: pixels.astype(np.float64),
        lambda pixels: pixels.astype(np.int64),
        lambda pixels: pixels[..., None],
        lambda pixels: pixels.reshape(len(pixels), -1),
    ],
)
def test_pixels_that_convert_exactly(
    changed: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    made = arrays(x_train=changed(GREY), x_test=changed(GREY_EVAL))
    np.savez(tmp_path / "x.npz", **made)
    assert_holds(opened(tmp_path), Split.TRAIN, images(TRAIN), labels(TRAIN))


@pytest.mark.parametrize(
    "changed",
    [
        lambda classes: classes[:, None],
        lambda classes: np.eye(3)[classes],
        lambda classes: np.eye(3, dtype=bool)[classes],
        lambda classes: classes.astype(np.float32),
    ],
)
def test_labels(changed: Callable[[np.ndarray], np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays(y_train=changed(labels(TRAIN))))
    assert_holds(opened(tmp_path), Split.TRAIN, images(TRAIN), labels(TRAIN))


def test_a_test_set_is_made(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=images(50, 4, 6, 3), labels=labels(50, 2))
    dataset = opened(tmp_path)
    train, held_out = (dataset.open()[split] for split in (Split.TRAIN, Split.EVAL))
    assert dataset.class_counts == {Split.TRAIN: (20, 20), Split.EVAL: (5, 5)}
    together = np.concatenate([train.read(0, 40)[0], held_out.read(0, 10)[0]])
    assert {image.tobytes() for image in together} == {i.tobytes() for i in images(50, 4, 6, 3)}
    assert_holds(dataset, Split.TRAIN, *train.read(0, 40))
    assert opened(tmp_path) == dataset


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"x_train": GREY - 0.5}, r"x_train holds .*, expected whole numbers from 0 to 255"),
        ({"x_train": GREY.astype(int) - 1}, "holds -1, expected whole numbers from 0 to 255"),
        ({"x_train": GREY.astype(int) + 1000}, "expected whole numbers from 0 to 255"),
        ({"x_train": np.where(GREY > 9, np.nan, GREY)}, "holds nan, expected"),
        ({"x_train": images(TRAIN, 8, 8, 3).transpose(0, 3, 1, 2).copy()}, "transpose.0, 2, 3, 1"),
        ({"x_train": np.zeros((TRAIN, 63), np.uint8)}, r"shape \(12, 63\), expected \(N, H, W\)"),
        ({"x_train": np.asfortranarray(GREY)}, "stored by columns; save numpy.ascontiguousarray"),
        ({"x_train": np.zeros((2**40, 0, 8), np.uint8)}, "expected .N, H, W"),
        ({"x_train": GREY[1:]}, "holds 11 images, but y_train holds 12 labels"),
        ({"y_train": labels(TRAIN) + 0.5}, "holds 0.5, expected whole numbers as labels"),
        ({"y_train": np.ones((TRAIN, 3))}, "expected a single 1 in each row"),
        ({"y_train": np.zeros((TRAIN, 3, 1))}, r"shape \(12, 3, 1\), expected labels"),
        ({"y_train": np.array(["a", "b"] * 6)}, "has dtype <U1, expected numbers"),
        ({"y_train": np.array(7)}, "is a single number"),
        ({"y_test": labels(EVAL).astype(object)}, "never unpickled"),
    ],
)
def test_what_cannot_be_read_is_said(
    changes: dict[str, np.ndarray], problem: str, tmp_path: Path
) -> None:
    np.savez_compressed(tmp_path / "x.npz", **arrays(**changes))
    with pytest.raises(DataError, match=problem) as caught:
        opened(tmp_path)
    assert str(tmp_path / "x.npz") in str(caught.value)


def test_other_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", weights=GREY, bias=labels(TRAIN))
    with pytest.raises(DataError, match="there are arrays bias, weights, expected x_train"):
        opened(tmp_path)


def npy(dtype: str, shape: str, body: bytes) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"
    return npy_with(header, body)


def npy_with(header: str, body: bytes) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + body


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        (
            npy("|u1", "(999999, 999, 9)", b"x"),
            "of uint8",
        ),
        (
            npy("|u1", "(12, 8, 8)", bytes(99)),
            "99|damag",
        ),
        (
            npy("|O", "(12,)", b"cos\nsystem\n"),
            "objects",
        ),
        (npy_with("__import__('os').system('true')", b""), "expected a whole .npz file"),
        (b"\x93NUMPY\x07\0", r"format \(7, 0\)"),
        (b"", "expected a whole .npz file"),
    ],
)
def test_members_that_lie(member: bytes, problem: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays())
    with zipfile.ZipFile(tmp_path / "x.npz") as made:
        held = {name: made.read(name) for name in made.namelist()}
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name, content in (held | {"x_train.npy": member}).items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match=problem):
        opened(tmp_path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Images of 50 MB each, in a hundred kilobytes."""
    np.savez_compressed(
        tmp_path / "x.npz", **arrays(x_train=np.zeros((2, 7100, 7100), np.uint8), y_train=labels(2))
    )
    with pytest.raises(DataError, match="shape .2, 7100, 7100., expected .N, H, W"):
        opened(tmp_path)


@pytest.mark.parametrize("cut", [0, 10, 2000])
def test_files_that_are_cut_short(cut: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays())
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[:cut])
    with pytest.raises(DataError, match="expected a whole .npz file"):
        opened(tmp_path)


def test_a_flipped_bit(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays())
    whole = bytearray((tmp_path / "x.npz").read_bytes())
    whole[whole.index(GREY.tobytes()) + 100] ^= 1
    (tmp_path / "x.npz").write_bytes(whole)
    with pytest.raises(DataError, match="Bad CRC-32"):
        opened(tmp_path)


def test_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(DataError, match=r"x\.npz: is a FIFO, expected a file"):
        opened(tmp_path)
