"""The confusion matrices of the report: of many classes, those that are confused most."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from pipeline.report import figures
from pipeline.report.formatting import short

# Classes that a figure shows with names and counts.
MOST_CLASSES = 20
_WIDE_FROM = 13
_MAX_TICKS = 31
_LONGEST_NAME = 14
_CONFUSIONS_NAMED = 3
# Seen through alpha on white or on black alike.
_RIGHT_RGB, _WRONG_RGB = (0.24, 0.52, 0.85), (0.90, 0.34, 0.22)


@dataclasses.dataclass(frozen=True)
class Confusion:
    """One matrix, and the models that have it.

    Attributes:
      names: of the models.
      figure: of all classes, or of those that are confused most; None if these are none.
      num_shown: classes in it.
      is_wide: whether it needs the width of two.
      whole: a figure of all classes where there is another; else None.
      frequent: the most frequent mistakes, as (actual, predicted, images).
      num_mistakes: images that the models get wrong.
    """

    names: list[str]
    figure: Markup | None
    num_shown: int
    is_wide: bool
    whole: Markup | None
    frequent: list[tuple[int, int, int]]
    num_mistakes: int


def confusions(matrices: Mapping[str, np.ndarray], label_names: Sequence[str]) -> list[Confusion]:
    """Returns what to show of each different matrix.

    Args:
      matrices: int64[classes, classes] by model; rows are actual classes.
      label_names: of the classes.
    """
    groups: list[tuple[list[str], np.ndarray]] = []
    for name, matrix in matrices.items():
        for names, other in groups:
            if np.array_equal(matrix, other):
                names.append(name)
                break
        else:
            groups.append(([name], matrix))
    return [_confusion(names, matrix, label_names) for names, matrix in groups]


def _confusion(names: list[str], matrix: np.ndarray, label_names: Sequence[str]) -> Confusion:
    title = f"Confusion matrix of {', '.join(names)}"
    shown, whole = list(range(len(matrix))), None
    if len(matrix) > MOST_CLASSES:
        shown = most_confused(matrix)
        whole = draw(matrix, list(range(len(matrix))), label_names, f"Whole {title.lower()}")
    return Confusion(
        names=names,
        figure=draw(matrix, shown, label_names, title) if shown else None,
        num_shown=len(shown),
        is_wide=len(shown) >= _WIDE_FROM,
        whole=whole,
        frequent=frequent(matrix),
        num_mistakes=int(_mistakes(matrix).sum()),
    )


def _mistakes(matrix: np.ndarray) -> np.ndarray:
    return np.where(np.eye(len(matrix), dtype=bool), 0, matrix)


def frequent(matrix: np.ndarray) -> list[tuple[int, int, int]]:
    """Returns (actual, predicted, examples) of the most frequent mistakes in int64[C, C]."""
    wrong = _mistakes(matrix)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS_NAMED]
    cells = [divmod(int(cell), len(matrix)) for cell in order]
    return [(*cell, int(wrong[cell])) for cell in cells if wrong[cell]]


def most_confused(matrix: np.ndarray) -> list[int]:
    """Returns the classes of int64[C, C] with most mistakes, of them or for them, in order."""
    wrong = _mistakes(matrix)
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    worst = np.argsort(-mistakes, kind="stable")[:MOST_CLASSES]
    return sorted(int(label) for label in worst if mistakes[label])


def draw(
    matrix: np.ndarray, shown: Sequence[int], label_names: Sequence[str], title: str
) -> Markup:
    """Returns a confusion matrix as SVG: right answers blue, mistakes red by how many there are.

    Args:
      matrix: int64[classes, classes], rows are actual classes.
      shown: the classes to show; their names and counts where they are not too many.
      label_names: of all classes.
      title: what a screen reader says instead.
    """
    part, count = matrix[np.ix_(shown, shown)], len(shown)
    is_named = count <= MOST_CLASSES
    places = list(range(0, count, -(-count // _MAX_TICKS)))
    ticks = [label_names[shown[place]] if is_named else str(shown[place]) for place in places]
    ticks = [short(tick, _LONGEST_NAME) for tick in ticks]
    longest = max(map(len, ticks))
    inches = max(3.5, 0.06 * longest + (0.28 if is_named else 0.1) * count)
    figure = Figure((inches, inches), layout="constrained")
    axes = figure.subplots()
    axes.imshow(_colours(part, matrix[list(shown)].sum(axis=1)), interpolation="none")
    axes.set_xlabel("predicted class", color=figures.MUTED, size=8)
    axes.set_ylabel("actual class", color=figures.MUTED, size=8)
    # A dollar would begin a formula.
    axes.set_xticks(places, ticks, parse_math=False, rotation=90 if longest > 3 else 0)
    axes.set_yticks(places, ticks, parse_math=False)
    axes.tick_params(length=0, labelcolor=figures.INK, labelsize=8 if is_named else 6)
    axes.spines[:].set_color(figures.LINE)
    if is_named:
        axes.set_xticks(np.arange(count - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(count - 1) + 0.5, minor=True)
        axes.grid(which="minor", color=figures.LINE, linewidth=0.5)
        axes.tick_params(which="minor", length=0)
        for row, column in np.argwhere(part):
            text = str(part[row, column])
            size = min(8.0, 75 / count if inches == 3.5 else 8.0, 24 / len(text))
            axes.text(column, row, text, color=figures.INK, size=size, ha="center", va="center")
    return figures.svg(figure, title)


def _colours(matrix: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Returns float[classes, classes, 4]: RGBA, transparent where there are no examples.

    Args:
      matrix: int64[classes, classes], of the classes that are shown.
      totals: int64[classes], all images of them.
    """
    is_right = np.eye(len(matrix), dtype=bool)
    mistakes = _mistakes(matrix)
    colours = np.zeros((*matrix.shape, 4))
    colours[..., :3] = np.where(is_right[..., None], _RIGHT_RGB, _WRONG_RGB)
    of_class = matrix / np.maximum(totals, 1)[:, np.newaxis]
    colours[..., 3] = np.where(
        is_right, 0.4 * of_class, 0.2 + 0.7 * mistakes / max(mistakes.max(), 1)
    )
    colours[matrix == 0, 3] = 0
    return colours
