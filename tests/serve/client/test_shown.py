"""The table and the picture of the answers."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from data.errors import DataError
from data.task import Task
from serve.client import picture, table
from serve.client.answers import Answer, Answers
from serve.client.images import Seen

TASK = Task("things", (28, 28, 1), ("[red]one", "two $x$", "Ankle boot"))
GREY = np.arange(28 * 28, dtype=np.uint32).reshape(28, 28, 1).astype(np.uint8)


def seen(count: int) -> tuple[Seen, ...]:
    return tuple(Seen(f"drawing{number}.png", GREY) for number in range(count))


def models(count: int, number: int = 3) -> tuple[Answers, ...]:
    """The last model has another label for the second image."""
    return tuple(
        Answers(
            f"recipe_{model}",
            tuple(
                Answer(2 if (image, model) == (1, number - 1) else image % 2, 0.987, 1234.5)
                for image in range(count)
            ),
        )
        for model in range(number)
    )


def shown(count: int, number: int, width: int, is_terminal: bool) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=is_terminal, highlight=False)
    table.show(seen(count), models(count, number), TASK, console)
    return text.getvalue()


def test_a_row_has_every_models_label_probability_and_time() -> None:
    lines = shown(2, 3, 80, is_terminal=False).splitlines()
    [first] = [line for line in lines if "drawing0.png" in line]
    assert first.count("[red]one 98.7% 1,234 us") == 3 and "differ" not in first
    [second] = [line for line in lines if "drawing1.png" in line]
    assert "two $x$ 98.7%" in second and "Ankle boot 98.7%" in second and "differ" in second
    assert "the models differ on 1 of 2 images" in lines
    assert [name for name in lines[1].split() if name.startswith("recipe")] == [
        f"recipe_{number}" for number in range(3)
    ]


def test_it_fits_the_terminal() -> None:
    text = shown(3, 5, 80, is_terminal=True)
    assert max(len(line) for line in text.splitlines() if "\x1b" not in line) <= 80


def test_one_model_differs_from_none() -> None:
    assert "differ" not in shown(1, 1, 80, is_terminal=False)


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (10, 5, 2), (50, 8, 7)])
def test_the_picture_has_every_image(tmp_path: Path, count: int, columns: int, rows: int) -> None:
    path = tmp_path / "picture.png"
    picture.write(path, seen(count), models(count), TASK)
    with Image.open(path) as made:
        assert made.format == "PNG"
        pixels = np.asarray(made.convert("RGB"))
    height, width = pixels.shape[:2]
    assert abs(width / columns / (height / rows) - 1.84 / 2.44) < 0.2
    # One image is framed in red, and a line beneath it is written in red, if there are two.
    is_red = (pixels[..., 0] > 150) & (pixels[..., 1] < 80) & (pixels[..., 2] < 80)
    assert is_red.any() == (count > 1)
    if count > 1:
        places = np.flatnonzero(is_red.any(axis=0))
        assert width / columns <= places[0] and places[-1] <= 2 * width / columns


def test_colours_stay_colours(tmp_path: Path) -> None:
    blue = np.zeros((28, 28, 3), np.uint8)
    blue[..., 2] = 255
    picture.write(tmp_path / "p.png", (Seen("blue", blue),), models(1), TASK)
    with Image.open(tmp_path / "p.png") as made:
        assert made.convert("RGB").getpixel((made.width // 2, made.height // 4)) == (0, 0, 255)


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        picture.write(tmp_path / "none" / "p.png", seen(1), models(1), TASK)
