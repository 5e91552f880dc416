"""Draws the report's figures, and reads the training's curves from TensorBoard's events."""

import base64
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib import image as matplotlib_image
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

Curve = Sequence[tuple[int, float]]  # (epoch, value), by epoch

# Drawn in these colours and then replaced, so that a figure follows the page from light to dark.
_STYLE_COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--series-1)",
    "#050505": "var(--series-2)",
}
_INK, _MUTED, _LINE, *_SERIES = _STYLE_COLOURS
# Seen through alpha on white or on black alike.
_RIGHT_RGB, _WRONG_RGB = (0.24, 0.52, 0.85), (0.90, 0.34, 0.22)
_MAX_CLASSES_WITH_COUNTS = 20
_MAX_TICKS = 31
_CONFUSIONS_NAMED = 3


def frequent_confusions(matrix: np.ndarray) -> list[tuple[int, int, int]]:
    """Returns (actual, predicted, examples) of the most frequent mistakes in int64[C, C]."""
    wrong = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS_NAMED]
    cells = [divmod(int(cell), len(matrix)) for cell in order]
    return [(*cell, int(wrong[cell])) for cell in cells if wrong[cell]]


def read_scalars(log_dir: str) -> dict[str, list[tuple[int, float]]]:
    """Reads the scalars that `tf.summary` wrote into a folder.

    Returns:
      (step, value) of each tag, by step; {} when the folder is missing or holds no events.
    """
    if not Path(log_dir).is_dir():
        return {}
    # 0 keeps every event; by default TensorBoard draws ten at random.
    accumulator = event_accumulator.EventAccumulator(
        log_dir, size_guidance={event_accumulator.TENSORS: 0}
    )
    accumulator.Reload()
    scalars = {}
    for tag in accumulator.Tags()[event_accumulator.TENSORS]:
        values = {
            event.step: tensor_util.make_ndarray(event.tensor_proto)
            for event in accumulator.Tensors(tag)
        }
        if all(value.size == 1 for value in values.values()):
            scalars[tag] = [(step, float(value.item())) for step, value in sorted(values.items())]
    return scalars


def draw_confusion(matrix: np.ndarray, title: str) -> Markup:
    """Returns a confusion matrix as SVG: right answers blue, mistakes red by how many there are.

    Args:
      matrix: int64[classes, classes], rows are actual classes.
      title: what a screen reader says instead.
    """
    num_classes = len(matrix)
    inches = max(3.5, 0.1 * num_classes)
    figure = Figure((inches, inches), layout="constrained")
    axes = figure.subplots()
    axes.imshow(_cell_colours(matrix), interpolation="none")
    axes.set_xlabel("predicted class", color=_MUTED, size=8)
    axes.set_ylabel("actual class", color=_MUTED, size=8)
    ticks = range(0, num_classes, -(-num_classes // _MAX_TICKS))
    axes.set_xticks(ticks, ticks)
    axes.set_yticks(ticks, ticks)
    axes.tick_params(length=0, labelcolor=_INK, labelsize=8 if num_classes <= 20 else 6)
    axes.spines[:].set_color(_LINE)
    if num_classes <= _MAX_CLASSES_WITH_COUNTS:
        axes.set_xticks(np.arange(num_classes - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(num_classes - 1) + 0.5, minor=True)
        axes.grid(which="minor", color=_LINE, linewidth=0.5)
        axes.tick_params(which="minor", length=0)
        size = min(8.0, 75 / num_classes)
        for row, column in np.argwhere(matrix):
            text = str(matrix[row, column])
            axes.text(column, row, text, color=_INK, size=size, ha="center", va="center")
    return _svg(figure, title)


def _cell_colours(matrix: np.ndarray) -> np.ndarray:
    """Returns float[classes, classes, 4]: RGBA, transparent where there are no examples."""
    is_right = np.eye(len(matrix), dtype=bool)
    mistakes = np.where(is_right, 0, matrix)
    colours = np.zeros((*matrix.shape, 4))
    colours[..., :3] = np.where(is_right[..., None], _RIGHT_RGB, _WRONG_RGB)
    of_class = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colours[..., 3] = np.where(
        is_right, 0.4 * of_class, 0.2 + 0.7 * mistakes / max(mistakes.max(), 1)
    )
    colours[matrix == 0, 3] = 0
    return colours


def draw_curves(curves: Mapping[str, Curve], title: str, as_share: bool = False) -> Markup:
    """Returns up to two curves over the epochs as SVG.

    Args:
      curves: the values of each epoch by name; a NaN leaves a gap.
      title: what a screen reader says instead.
      as_share: the values are shares in [0, 1], shown in percent.
    """
    figure = Figure((4.4, 2.7), layout="constrained")
    axes = figure.subplots()
    for colour, (marker, (name, curve)) in zip(
        _SERIES, zip("os", curves.items(), strict=False), strict=False
    ):
        epochs, values = zip(*curve, strict=True)
        axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, label=name)
    axes.set_xlabel("epoch", color=_MUTED, size=8)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if as_share:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    else:
        axes.set_ylim(bottom=0)
    axes.tick_params(length=0, labelcolor=_INK, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_LINE)
    axes.grid(axis="y", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, labelcolor=_INK, fontsize=8)
    return _svg(figure, title)


def draw_training(scalars: Mapping[str, Curve]) -> dict[str, Markup]:
    """Returns a figure for the losses and one for the accuracies, by caption."""
    figures = {}
    for kind, caption in (("loss", "Loss (cross-entropy in nats)"), ("accuracy", "Accuracy")):
        chosen = {
            tag.removesuffix(f"_{kind}"): curve
            for tag, curve in scalars.items()
            if tag.endswith(f"_{kind}") and curve
        }
        if chosen:
            form = ".2%" if kind == "accuracy" else ".4f"
            values = {name: f"{curve[-1][1]:{form}}" for name, curve in chosen.items()}
            last = ", ".join(f"{name} {v.replace('nan', 'NaN')}" for name, v in values.items())
            caption = f"{caption}; after the last epoch: {last}"
            figures[caption] = draw_curves(chosen, caption, kind == "accuracy")
    return figures


def _svg(figure: Figure, title: str) -> Markup:
    """Returns a figure as an SVG element in the page's colours, its ids made from the title."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        no_metadata: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=no_metadata)
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    # Matplotlib starts from the same ids in every figure; a page may have each only once.
    own = f"f{zlib.crc32(title.encode()):08x}-"
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}", svg)
    for colour, variable in _STYLE_COLOURS.items():
        svg = svg.replace(colour, variable)
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1))


def picture(image: np.ndarray, shape: tuple[int, int]) -> str:
    """Returns an image float32[height * width] in [0, 1] as a `data:` address of a grey PNG."""
    png = io.BytesIO()
    # Without bounds, a faint image would be stretched to full contrast.
    matplotlib_image.imsave(png, image.reshape(shape), cmap="gray", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
