"""Makes the report page: one HTML file that loads nothing else."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import jinja2
import numpy as np

from modules.export.recipes import RECIPES
from pipeline.metadata.runs import NodeTime
from pipeline.report import (
    conclusions,
    confusion,
    figures,
    formatting,
    gallery,
    pipeline_graph,
    repeating,
    runtimes,
    tables,
)
from pipeline.verdict.verdict import Verdict

GALLERY_SIZE = 24
_GALLERY_OPEN = 8  # the others are shown on demand
_SIDE = 84  # of an image in a gallery, in CSS pixels
_FILTERS = (
    formatting.share,
    formatting.points,
    formatting.size,
    formatting.number,
    formatting.seconds,
    conclusions.reasons,
    conclusions.doubts,
    conclusions.conversion,
    formatting.measured,
    formatting.interval,
    formatting.short,
    formatting.image_kind,
    runtimes.furthest,
)


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the page shows beside comparison.json.

    Attributes:
      data_source: where the data came from, and why, if it is a fallback.
      is_fallback: whether other data was wanted and this stands in for it.
      images: float32[pixels] in [0, 1] by their row in the eval split; at least `gallery_rows`
        and `runtimes.image_rows`.
      labels: int64[N], of the eval split.
      logits: float32[N, classes] by model name; must include the reference's.
      confusion: int64[classes, classes] by model name; rows are actual classes.
      scalars: the training's (epoch, value) by TensorBoard tag; {} when there are none.
      graph: for each node of the pipeline, the nodes whose outputs it reads; {} if unknown.
      times: of those nodes whose times are known.
    """

    data_source: str
    is_fallback: bool
    images: Mapping[int, np.ndarray]
    labels: np.ndarray
    logits: gallery.Logits
    confusion: Mapping[str, np.ndarray]
    scalars: Mapping[str, figures.Curve]
    graph: pipeline_graph.Upstream
    times: Mapping[str, NodeTime]


def gallery_rows(
    logits: gallery.Logits, labels: np.ndarray, reference: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows int64 of the reference's mistakes, and of what models disagree on.

    Only the first GALLERY_SIZE of each are shown.
    """
    return (
        gallery.mistakes(logits[reference], labels),
        gallery.disagreements(logits, reference),
    )


def render(verdict: Verdict, evidence: Evidence) -> str:
    """Returns the page as HTML.

    Args:
      verdict: with `pushed_to` filled in; NaN and None are shown as such.
      evidence: what the figures and galleries are made of.
    """
    reference, models = verdict.reference, verdict.models
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    wrong, differing = gallery_rows(evidence.logits, evidence.labels, reference)
    return environment.get_template("report.html.j2").render(
        verdict=verdict,
        evidence=evidence,
        title=verdict.title,
        headline=conclusions.headline(models),
        diagnosis=conclusions.diagnosis(verdict),
        recipes=RECIPES,
        check_rows=tables.check_rows(models),
        class_rows=tables.class_rows(models, reference, evidence.labels),
        missing=_missing(verdict, evidence.labels),
        confusions=confusion.confusions(evidence.confusion, verdict.label_names),
        curves=figures.draw_training(evidence.scalars),
        personal_curves=figures.draw_people(verdict.personal) if verdict.personal else None,
        runtimes=runtimes.table(verdict, evidence.images),
        num_open=_GALLERY_OPEN,
        side=_SIDE,
        is_small=max(verdict.image_shape[:2]) < _SIDE,
        mistakes=_cards(verdict, evidence, wrong),
        num_mistakes=len(wrong),
        disagreements=_cards(verdict, evidence, differing),
        num_disagreements=len(differing),
        stages=pipeline_graph.stages(evidence.graph, evidence.times),
        takes_from=pipeline_graph.without_shortcuts(evidence.graph),
        command=repeating.command(verdict),
    )


def _cards(verdict: Verdict, evidence: Evidence, rows: np.ndarray) -> list[gallery.Card]:
    """Returns the cards of the first of the rows int64[R] of the eval split."""
    return gallery.cards(
        rows[:GALLERY_SIZE],
        evidence.images,
        verdict.image_shape,
        evidence.labels,
        evidence.logits,
    )


def _missing(verdict: Verdict, labels: np.ndarray) -> list[str]:
    """Returns the names of the classes of which there is no test image."""
    counts = np.bincount(labels, minlength=len(verdict.label_names))
    return [name for name, count in zip(verdict.label_names, counts, strict=True) if not count]
