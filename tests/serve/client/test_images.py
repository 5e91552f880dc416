"""What FILE may be, what the models see of it, and a sentence for all else."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.digits import TASK
from data.errors import DataError
from data.forms.idx import write_idx
from data.forms.pictures import read_picture
from data.task import Task
from serve.client import images

COLOURS = Task("colours", (6, 8, 3), ("a", "b"))


def test_drawings_are_seen_as_the_task_has_them(drawings: Path) -> None:
    found = images.read([str(drawings)], TASK, 20)
    assert [image.name for image in found.images] == ["digit0.png", "digit1.png", "digit2.png"]
    assert found.left_out == ()
    for image in found.images:
        assert image.pixels.shape == (28, 28, 1) and image.pixels.dtype == np.uint8
        assert image.pixels[0].max() == 0 and image.pixels.max() == 255
    one = images.read([str(drawings / "digit1.png")], TASK, 1)
    np.testing.assert_array_equal(one.images[0].pixels, found.images[1].pixels)


def test_ink_on_a_transparent_sheet_is_a_drawing(drawings: Path, tmp_path: Path) -> None:
    grey = np.asarray(Image.open(drawings / "digit0.png"))
    ink = np.zeros((*grey.shape, 4), np.uint8)
    ink[..., 3] = 255 - grey
    Image.fromarray(ink).save(tmp_path / "ink.png")
    [seen] = images.read([str(tmp_path / "ink.png")], TASK, 1).images
    [expected] = images.read([str(drawings / "digit0.png")], TASK, 1).images
    np.testing.assert_array_equal(seen.pixels, expected.pixels)


def test_other_images_are_resized_as_the_pipeline_does(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    [seen] = images.read([str(tmp_path)], COLOURS, 1).images
    expected = read_picture(tmp_path / "photo.png", COLOURS.image_shape)
    np.testing.assert_array_equal(seen.pixels, expected)
    np.testing.assert_array_equal(images.as_seen(pixels, COLOURS), expected)
    grey = images.as_seen(pixels[..., :1], COLOURS)
    assert grey.shape == (6, 8, 3) and (grey == grey[..., :1]).all()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_first_images_of_an_idx_file(tmp_path: Path, suffix: str) -> None:
    pixels = np.zeros((30, 28, 28), np.uint8)
    pixels[np.arange(30), 5, np.arange(30) % 28] = 255
    pixels[1] = 0
    write_idx(tmp_path / "images", pixels)
    path = tmp_path / f"images{suffix}"
    if suffix:
        path.write_bytes(gzip.compress((tmp_path / "images").read_bytes()))
    found = images.read([str(path)], TASK, 4)
    assert [image.name for image in found.images] == ["image 0", "image 2", "image 3"]
    np.testing.assert_array_equal(found.images[1].pixels[..., 0], pixels[2])
    assert found.left_out[0] == f"{path}: the first 4 of 30 images are taken"
    assert found.left_out[1].startswith("image 1: shows no figure")


def test_images_of_emnist_are_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((1, 28, 28), np.uint8)
    pixels[0, 3, 10:20] = 255
    write_idx(tmp_path / "emnist-letters-test-images-idx3-ubyte", pixels)
    [seen] = images.read([str(next(tmp_path.iterdir()))], TASK, 1).images
    np.testing.assert_array_equal(seen.pixels[..., 0], pixels[0].T)


def test_a_folder_has_a_sentence_for_each_image_that_is_none(
    drawings: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(("b.png", "d.png", "e.png")):
        (tmp_path / name).write_bytes((drawings / f"digit{number}.png").read_bytes())
    (tmp_path / "a.png").write_text("hello")
    Image.new("L", (50, 50), 255).save(tmp_path / "c.PNG")
    (tmp_path / "notes.txt").write_text("no image")
    found = images.read([str(tmp_path)], TASK, 2)
    assert [image.name for image in found.images] == ["b.png", "d.png"]
    more, first, second = found.left_out
    assert more == f"{tmp_path}: 1 more images are left out, as only the first 2 are taken"
    assert "a.png: expected a whole PNG" in first and "c.PNG: shows no figure" in second
    found = images.read([str(tmp_path), str(drawings / "digit0.png")], TASK, 3)
    assert found.left_out[-1].endswith("digit0.png: left out, as only the first 3 images are taken")


def _bomb(path: Path) -> None:
    Image.new("L", (20_000, 20_000)).save(path)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: Image.new("L", (99, 50), 255).save(path), "shows no figure"),
        (_bomb, "expected at most 50,000,000"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\nrest"), "expected a whole PNG"),
        (lambda path: path.write_text("seven"), "begins as neither, expected an image"),
        (lambda path: path.write_bytes(b""), "is empty, expected an image"),
        (lambda path: os.mkfifo(path), "is a FIFO, expected a file"),
        (lambda path: path.mkdir(), "there is no image in it, expected files ending in .png"),
        (lambda path: None, "cannot read"),
        (lambda path: write_idx(path, np.arange(10, dtype=np.uint8)), "holds labels (uint8 of"),
        (lambda path: write_idx(path, np.zeros((2, 3, 3), np.int32)), "holds no images (int32 of"),
        (lambda path: write_idx(path, np.zeros((0, 3, 3), np.uint8)), "holds no images (uint8 of"),
        (lambda path: path.write_bytes(b"\0\0\x08\x03\0\0\0\x01"), "ends inside its header"),
        (lambda path: path.write_bytes(gzip.compress(b"text")), "expected an IDX file"),
    ],
)
def test_what_holds_no_image_is_one_sentence(tmp_path: Path, write: object, words: str) -> None:
    path = tmp_path / "given.png"
    write(path)
    with pytest.raises(DataError) as caught:
        images.read([str(path)], TASK, 20)
    text = str(caught.value)
    assert words in text and str(path) in text and len(text.splitlines()) == 1
