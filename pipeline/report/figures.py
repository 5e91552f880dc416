"""Draws the report's curves and images, and reads the former from TensorBoard's events."""

import base64
import io
import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

from pipeline.verdict.personal.judged import Personal

Curve = Sequence[tuple[int, float]]  # (epoch, value), by epoch

# Drawn in these colours and then replaced, so that a figure follows the page from light to dark.
_STYLE_COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--series-1)",
    "#050505": "var(--series-2)",
}
INK, MUTED, LINE, *_SERIES = _STYLE_COLOURS
_MAX_SIDE = 168  # pixels, twice of what a card shows: some screens have as many


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


def draw_curves(
    curves: Mapping[str, Curve], title: str, as_share: bool = False, axis: str = "epoch"
) -> Markup:
    """Returns up to two curves over the epochs, or something else, as SVG.

    Args:
      curves: the values of each epoch by name; a NaN leaves a gap.
      title: what a screen reader says instead.
      as_share: the values are shares in [0, 1], shown in percent.
      axis: what the values are over.
    """
    figure = Figure((4.4, 2.7), layout="constrained")
    axes = figure.subplots()
    for colour, (marker, (name, curve)) in zip(
        _SERIES, zip("os", curves.items(), strict=False), strict=False
    ):
        epochs, values = zip(*curve, strict=True)
        axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, label=name)
    axes.set_xlabel(axis, color=MUTED, size=8)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if as_share:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    else:
        axes.set_ylim(bottom=0)
    axes.tick_params(length=0, labelcolor=INK, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return svg(figure, title)


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


def draw_people(personal: Personal) -> Markup:
    """Returns the accuracy on people's own images and on plain ones, by the number of samples."""
    curves = {
        "own images": [(0, personal.before), *personal.after.items()],
        "plain images": [(0, personal.plain_before), *personal.plain.items()],
    }
    return draw_curves(curves, "Personalization", as_share=True, axis="samples")


def svg(figure: Figure, title: str) -> Markup:
    """Returns a figure as an SVG element in the page's colours, its ids made from the title."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        no_metadata: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        with warnings.catch_warnings():
            # The browser has letters that Matplotlib, which only measures them, has not.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure.savefig(text, format="svg", transparent=True, metadata=no_metadata)
    drawn = text.getvalue()[text.getvalue().index("<svg") :]
    # Matplotlib starts from the same ids in every figure; a page may have each only once.
    own = f"f{zlib.crc32(title.encode()):08x}-"
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}", drawn)
    for colour, variable in _STYLE_COLOURS.items():
        drawn = drawn.replace(colour, variable)
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1))


def picture(image: np.ndarray, image_shape: tuple[int, int, int]) -> str:
    """Returns an image as a `data:` address of a PNG, made smaller where it is large.

    Args:
      image: float32[height * width * channels] in [0, 1].
      image_shape: height, width and channels; one is grey, three are colours.
    """
    levels = np.rint(np.clip(image.reshape(image_shape), 0, 1) * 255).astype(np.uint8)
    shown = Image.fromarray(levels.squeeze(axis=2) if image_shape[2] == 1 else levels)
    shown.thumbnail((_MAX_SIDE, _MAX_SIDE))
    png = io.BytesIO()
    shown.save(png, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
