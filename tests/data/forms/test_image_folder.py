"""Folders of images by class: layouts, sizes, colours, and files that are none."""

import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.errors import DataError
from data.forms import image_folder
from data.splits import Split
from tests.data.samples import EVAL, TRAIN, assert_holds, images, labels, opened

CLASSES = ("0", "2", "10")  # in the order of numbers


def save(folder: Path, pixels: np.ndarray, suffix: str = "png") -> Path:
    """Writes images of classes 0, 1, 2 and again as CLASS/NUMBER.png, and returns the folder."""
    for number, (image, label) in enumerate(zip(pixels, labels(len(pixels)), strict=True)):
        path = folder / CLASSES[label] / f"{number:03}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(path)
    return folder


def by_class(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array[label::3] for label in range(3)])


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Training", "Testing"), ("train", "val")]
)
@pytest.mark.parametrize("suffix", ["png", "bmp", "PNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_splits(train: str, test: str, suffix: str, channels: int, tmp_path: Path) -> None:
    save(tmp_path / "mine" / "png" / train, images(TRAIN, 5, 7, channels), suffix)
    save(tmp_path / "mine" / "png" / test, images(EVAL, 5, 7, channels), suffix)
    for folder in (tmp_path / "mine", tmp_path / "mine" / "png"):
        dataset = opened(folder)
        assert (dataset.form, dataset.name) == ("image_folder", "mine-png")
        assert dataset.task.label_names == CLASSES
        for split, count in ((Split.TRAIN, TRAIN), (Split.EVAL, EVAL)):
            expected = by_class(images(count, 5, 7, channels))
            assert_holds(dataset, split, expected, by_class(labels(count)))


def test_a_test_set_is_made(tmp_path: Path) -> None:
    save(tmp_path, images(30))
    dataset = opened(tmp_path)
    assert dataset.class_counts == {Split.TRAIN: (8, 8, 8), Split.EVAL: (2, 2, 2)}
    parts = [reader.read(0, len(reader)) for reader in dataset.open().values()]
    found = {image.tobytes() for pixels, _ in parts for image in pixels}
    assert found == {image.tobytes() for image in images(30)}
    assert_holds(dataset, Split.EVAL, *parts[1])
    assert any("a fifth of the images of each class" in note for note in dataset.notes)


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    save(tmp_path / "train", images(TRAIN))
    save(tmp_path / "test", images(EVAL))
    save(tmp_path / "val", images(EVAL))
    for name in ("a.webp", "b.webp", "notes.txt", "Thumbs.db", ".DS_Store"):
        (tmp_path / "train" / "0" / name).write_text("")
    notes = opened(tmp_path).notes
    assert notes[:2] == (
        "val/ was passed over, as test/ is the test set",
        "3 files in train/ were passed over (.txt, .webp)",
    )
    shutil.rmtree(tmp_path / "val")
    for path in (tmp_path / "test").glob("*/*"):
        path.rename(tmp_path / "test" / path.name)
    dataset = opened(tmp_path)
    assert "test/ has no folders of classes and was passed over" in dataset.notes
    assert dataset.eval_examples == 3


def test_jpeg_is_read_as_pillow_does(tmp_path: Path) -> None:
    smooth = np.broadcast_to(np.arange(0, 256, 8, np.uint8), (TRAIN, 32, 32))[..., None]
    folder = save(tmp_path, smooth, "jpg")
    Image.fromarray(smooth[0, ..., 0]).convert("RGB").save(
        folder / "0" / "000.jpg"
    )  # grey all the same
    dataset = opened(folder)
    assert dataset.task.image_shape == (32, 32, 1)
    found = dataset.open()[Split.TRAIN].read(0, 1)[0][0]
    assert np.abs(found.astype(int) - smooth[0]).max() <= 2


def test_sizes_that_differ_need_a_setting(tmp_path: Path) -> None:
    save(tmp_path, images(TRAIN, 6, 6))
    Image.fromarray(np.full((300, 20), 200, np.uint8)).save(tmp_path / "0" / "large.png")
    with pytest.raises(DataError, match="of sizes from 6x6 to 300x20, .* set IMAGE_SIZE to"):
        opened(tmp_path)
    dataset = opened(tmp_path, size=(5, 4))
    assert dataset.task.image_shape == (5, 4, 1)
    assert dataset.name.endswith("-5x4")
    values = {image.tobytes() for image in dataset.open()[Split.TRAIN].read(0, 9)[0]}
    values |= {image.tobytes() for image in dataset.open()[Split.EVAL].read(0, 3)[0]}
    assert np.full((5, 4), 200, np.uint8).tobytes() in values


def test_images_that_are_too_large_need_a_setting(tmp_path: Path) -> None:
    save(tmp_path, images(6, 225, 3))
    with pytest.raises(DataError, match="the images are 225x3 pixels, expected .* at most 224x224"):
        opened(tmp_path)
    assert opened(tmp_path, size=(28, 28)).task.image_shape == (28, 28, 1)


def test_transparency_palettes_and_turned_photographs(tmp_path: Path) -> None:
    save(tmp_path / "train", images(TRAIN, 4, 4))
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4) * 15
    clear = Image.fromarray(np.stack([grey, np.where(grey > 100, 255, 0).astype(np.uint8)], axis=2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    made = {
        "0": (clear, "png", {}, np.where(grey > 100, grey, 0)),
        "2": (Image.fromarray(grey).convert("P"), "png", {}, grey),
        "10": (Image.fromarray(grey).resize((32, 32), 0), "jpg", {"exif": exif}, None),
    }
    for label, (picture, suffix, options, _) in made.items():
        (tmp_path / "test" / label).mkdir(parents=True)
        picture.save(tmp_path / "test" / label / f"x.{suffix}", quality=100, **options)
    found = opened(tmp_path, size=(4, 4)).open()[Split.EVAL].read(0, 3)[0][..., 0]
    np.testing.assert_array_equal(found[0], made["0"][3])
    np.testing.assert_array_equal(found[1], made["2"][3])
    assert np.abs(found[2].astype(int) - np.rot90(grey, -1)).max() < 20


def png(width: int, height: int, bits: int = 8, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"<html>",
            "expected a whole PNG, JPEG or BMP image .it does not begin as one",
        ),
        (b"", "expected a whole PNG, JPEG or BMP image"),
        (b"GIF89a\x08\0\x08\0\0\0\0;", "expected a whole PNG, .*does not begin"),
        (png(8, 8), "expected a whole PNG"),
        (png(8000, 9000), "says that it is 9000x8000 pixels, expected at most 50,000,000 in all"),
        (png(60_000, 60_000), "says that it is of far more pixels, expected at most 50,000,000"),
        (png(8, 8, 16, bytes(8 * 17)), "has pixels of mode I;16, expected 8 bits for each channel"),
    ],
)
def test_files_that_are_no_whole_images(content: bytes, problem: str, tmp_path: Path) -> None:
    save(tmp_path, images(TRAIN))
    (tmp_path / "10" / "bad.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"bad\.png: {problem}"):
        opened(tmp_path)


def test_pillow_is_not_asked_for_other_formats(tmp_path: Path) -> None:
    """Ghostscript would run what an EPS file says."""
    save(tmp_path, images(TRAIN))
    (tmp_path / "0" / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n")
    with pytest.raises(DataError, match="x.png: .*it does not begin as one"):
        opened(tmp_path)


def test_a_cut_image_and_a_fifo(tmp_path: Path) -> None:
    save(tmp_path, images(TRAIN, 40, 40))
    path = tmp_path / "2" / "001.png"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"001\.png: expected a whole PNG"):
        opened(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"001\.png: is a FIFO, expected a file"):
        opened(tmp_path)


def test_images_that_come_or_go_are_noticed(tmp_path: Path) -> None:
    dataset = opened(save(tmp_path, images(TRAIN)))
    reader = dataset.open()[Split.TRAIN]
    reader.read(0, 2)
    shutil.copy(tmp_path / "0" / "000.png", tmp_path / "0" / "more.png")
    image_folder._known.cache_clear()  # as in another process
    with pytest.raises(DataError, match="images were added, renamed or removed"):
        reader.read(0, 2)
