"""Drawings and photos with what Python makes of them, as files for the tests of the page."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from data.errors import DataError
from data.forms import pictures
from data.task import Drawing, Task
from serve.client import images

MASS, BOX = Drawing(), Drawing(size=24, centre="box")
_RANDOM = np.random.default_rng(3)


def write(folder: Path, digits: np.ndarray) -> None:
    """Writes `cases.json`, and of each case the pixels and the image that comes of them.

    Args:
        folder: is made.
        digits: uint8[N, 28, 28], light on black.
    """
    folder.mkdir()
    cases = []
    for number, (pixels, task) in enumerate([*_drawings(digits), *_photos()]):
        path = folder / f"{number}.png"
        Image.fromarray(pixels, "RGBA").save(path)
        decoded = pictures.read_rgba(path)
        (folder / f"{number}.pixels").write_bytes(decoded.tobytes())
        height, width = decoded.shape[:2]
        case: dict[str, Any] = {"width": width, "height": height, "shape": task.image_shape}
        case["drawing"] = dataclasses.asdict(task.drawing) if task.drawing else None
        try:
            [seen] = images.read([str(path)], task, 1).images
            (folder / f"{number}.image").write_bytes(seen.pixels.tobytes())
        except DataError as error:
            case["error"] = str(error).removeprefix(f"{path}: ")
        cases.append(case)
    (folder / "cases.json").write_text(json.dumps(cases))


def _drawings(digits: np.ndarray) -> Iterator[tuple[np.ndarray, Task]]:
    shapes = ((28, 28, 1), (28, 28, 1), (20, 41, 1), (64, 48, 1))
    for number, grey in enumerate(_sheets(digits)):
        shape, drawing = shapes[number % 4], BOX if number % 3 == 0 else MASS
        yield (
            _on_transparent(grey) if number % 5 == 2 else _coloured(grey, number),
            _task(shape, drawing),
        )


def _sheets(digits: np.ndarray) -> Iterator[np.ndarray]:
    """Yields levels uint8[h, w] of all kinds."""
    for number, digit in enumerate(digits[:40]):
        side = int(_RANDOM.integers(9, 330))
        large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
        margins = [int(each) for each in _RANDOM.integers(1, 90, 4)]
        sheet = np.pad(large, (margins[:2], margins[2:]))
        noise = _RANDOM.integers(-12, 13, sheet.shape) if number % 4 == 1 else 0
        sheet = np.clip(sheet + noise, 0, 255).astype(np.uint8)
        yield 255 - sheet if number % 2 else sheet
    for number in range(40):  # symmetric and elongated ones, whose middle lies between two pixels
        height, width = (int(each) for each in _RANDOM.integers(24, 260, 2))
        picture = Image.new("L", (width, height), 255)
        draw = ImageDraw.Draw(picture)
        left, right = sorted(int(each) for each in _RANDOM.integers(2, width - 2, 2))
        top, bottom = sorted(int(each) for each in _RANDOM.integers(2, height - 2, 2))
        shape = draw.rectangle if number % 2 else draw.ellipse
        shape((left, top, right + 1, bottom + 1), fill=int(_RANDOM.integers(0, 200)))
        yield np.asarray(picture)
    for digit in digits[40:44]:  # of a task's size: light on dark is taken as it is
        yield digit
        yield 255 - digit
    yield np.full((90, 70), 255, np.uint8)
    yield np.zeros((28, 28), np.uint8)
    yield np.tile(np.array([240, 250], np.uint8), (50, 25))
    for shape in ((1, 90), (90, 1), (2, 2), (1, 2), (1, 1)):
        narrow = np.zeros(shape, np.uint8)
        narrow.flat[-1] = 255
        yield narrow
    yield _RANDOM.integers(0, 256, (60, 80)).astype(np.uint8)
    huge = np.full((1500, 2100), 250, np.uint8)
    huge[400:1203, 300:341] = 20
    yield huge


def _photos() -> Iterator[tuple[np.ndarray, Task]]:
    shapes = ((32, 32, 3), (28, 28, 1), (24, 41, 3), (60, 50, 1))
    for number in range(16):
        height, width = (int(each) for each in _RANDOM.integers(5, 180, 2))
        smooth = _RANDOM.integers(0, 256, (max(height // 4, 2), max(width // 4, 2), 4))
        picture = Image.fromarray(smooth.astype(np.uint8), "RGBA").resize((width, height))
        pixels = np.array(picture)
        if number % 2:
            pixels[..., 3] = 255
        yield pixels, _task(shapes[number % 4], None)
    for shape in shapes:  # of one size in one or both directions
        pixels = _RANDOM.integers(0, 256, (shape[0], 33, 4)).astype(np.uint8)
        yield pixels, _task(shape, None)
        yield pixels, _task((shape[0], 33, shape[2]), None)


def _task(shape: tuple[int, int, int], drawing: Drawing | None) -> Task:
    return Task("drawn", shape, ("a", "b"), drawing=drawing)


def _coloured(grey: np.ndarray, number: int) -> np.ndarray:
    """Returns levels as opaque pixels, some of them in a colour."""
    colours = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=2)
    if number % 7 == 3:
        colours[..., 1] = 255 - (255 - grey) // 3
    return colours


def _on_transparent(grey: np.ndarray) -> np.ndarray:
    """Returns black where levels are low, and nothing where they are high."""
    pixels = np.zeros((*grey.shape, 4), np.uint8)
    pixels[..., 3] = 255 - grey
    pixels[..., 0] = 40
    return pixels
