"""The images as the models saw them, and beneath each what every model says, as a PNG."""

import math
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data.errors import disk_errors
from data.files import written_whole
from data.task import Task
from serve.client.answers import Answers, disagrees
from serve.client.images import Seen

_MOST_COLUMNS = 8
# Inches: an image, a line of text, a letter, and what lies around a cell.
_SIDE, _LINE, _LETTER, _GAP = 1.6, 0.15, 0.06, 0.12
_FONT, _DPI = 7, 150
_LONGEST_NAME, _LONGEST_LABEL = 24, 12
_SAME, _DIFFERENT = "#333333", "#c0392b"


def write(path: Path, images: tuple[Seen, ...], models: tuple[Answers, ...], task: Task) -> None:
    """Writes the picture.

    Args:
      path: of the PNG.
      images: that were asked about, at least one.
      models: what they say.
      task: whose labels these are.

    Raises:
      data.errors.DataError: the file cannot be written.
    """
    rows = math.ceil(len(images) / _MOST_COLUMNS)
    columns = math.ceil(len(images) / rows)
    texts = [_lines(image, models, place, task) for place, image in enumerate(images)]
    longest = max(len(line) for lines in texts for line, _ in lines)
    cell_width = max(_SIDE, longest * _LETTER) + 2 * _GAP
    cell_height = _SIDE + _LINE * (len(models) + 1) + 2 * _GAP
    width, height = columns * cell_width, rows * cell_height
    figure = Figure(figsize=(width, height), dpi=_DPI)
    FigureCanvasAgg(figure)
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        left = column * cell_width + _GAP
        top = height - row * cell_height - _GAP
        axes = figure.add_axes(
            (left / width, (top - _SIDE) / height, _SIDE / width, _SIDE / height)
        )
        pixels = image.pixels[..., 0] if image.pixels.shape[2] == 1 else image.pixels
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        differ = disagrees(models, place)
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=_DIFFERENT if differ else _SAME, linewidth=2.5 if differ else 0.5)
        _write_lines(figure, left / width, top - _SIDE, height, texts[place])
    with disk_errors("write", path), written_whole(path) as file:
        figure.savefig(file, format="png")


def _lines(
    image: Seen, models: tuple[Answers, ...], place: int, task: Task
) -> list[tuple[str, bool]]:
    """Returns the lines beneath an image, and which of them stand out."""
    labels = [model.of_images[place].label for model in models]
    usual = max(labels, key=labels.count)
    lines = [(_cut(image.name, _LONGEST_NAME), False)]
    for model in models:
        answer = model.of_images[place]
        label = _cut(task.label_names[answer.label], _LONGEST_LABEL)
        stands_out = answer.label != usual
        lines.append((f"{model.model}: {label} {answer.probability:.1%}", stands_out))
    return lines


def _write_lines(
    figure: Figure, left: float, top: float, height: float, lines: list[tuple[str, bool]]
) -> None:
    for number, (line, stands_out) in enumerate(lines):
        figure.text(
            left,
            (top - _LINE * (number + 0.9)) / height,
            line,
            fontsize=_FONT,
            color=_DIFFERENT if stands_out else _SAME,
            fontweight="bold" if stands_out else "normal",
            parse_math=False,
        )


def _cut(text: str, length: int) -> str:
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= length else f"...{plain[3 - length :]}"
