"""Makes the report page: one HTML file that loads nothing else."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from data.catalogue import CATALOGUE
from modules.export.recipes import RECIPES
from pipeline.metadata.runs import NodeTime
from pipeline.report import figures, formatting, gallery, pipeline_graph, tables
from pipeline.verdict.limits import Limits
from pipeline.verdict.verdict import Verdict

GALLERY_SIZE = 24
_GALLERY_OPEN = 8  # the others are shown on demand
_TITLES = {"digits": "offline digits"} | {name: entry.title for name, entry in CATALOGUE.items()}
_FILTERS = (
    formatting.share,
    formatting.points,
    formatting.size,
    formatting.number,
    formatting.seconds,
    formatting.reasons,
    formatting.measured,
)


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the page shows beside comparison.json.

    Attributes:
      data_source: where the data came from, and why when it is a fallback.
      is_fallback: the data stands in for the one that was wanted.
      images: float32[784] in [0, 1] by their row in the eval split; at least `gallery_rows`.
      labels: int64[N], of the eval split.
      logits: float32[N, classes] by model name; the reference's must be among them.
      confusion: int64[classes, classes] by model name, rows are actual classes.
      scalars: the training's (epoch, value) by TensorBoard tag; {} when there are none.
      graph: the nodes that each node of the pipeline takes something from; {} when not known.
      times: of the pipeline's nodes, as far as they are known.
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


@dataclasses.dataclass(frozen=True)
class Confusion:
    """A figure, the models whose matrix it is, and the mistakes: (actual, predicted, images)."""

    names: list[str]
    figure: Markup
    frequent: list[tuple[int, int, int]]
    num_mistakes: int


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
        title=_TITLES.get(verdict.dataset.name, verdict.dataset.name),
        headline=formatting.headline(models),
        recipes=RECIPES,
        check_rows=tables.check_rows(models),
        class_rows=tables.class_rows(models, reference, evidence.labels),
        confusions=_confusions(evidence.confusion),
        curves=figures.draw_training(evidence.scalars),
        num_open=_GALLERY_OPEN,
        mistakes=_cards(evidence, wrong),
        num_mistakes=len(wrong),
        disagreements=_cards(evidence, differing),
        num_disagreements=len(differing),
        stages=pipeline_graph.stages(evidence.graph, evidence.times),
        takes_from=pipeline_graph.without_shortcuts(evidence.graph),
        command=command(verdict),
    )


def _cards(evidence: Evidence, rows: np.ndarray) -> list[gallery.Card]:
    """Returns the cards of the first of the rows int64[R] of the eval split."""
    return gallery.cards(rows[:GALLERY_SIZE], evidence.images, evidence.labels, evidence.logits)


def _confusions(matrices: Mapping[str, np.ndarray]) -> list[Confusion]:
    """Returns a figure for each different matrix, with the models that have it."""
    groups: list[tuple[list[str], np.ndarray]] = []
    for name, matrix in matrices.items():
        for names, other in groups:
            if np.array_equal(matrix, other):
                names.append(name)
                break
        else:
            groups.append(([name], matrix))
    return [
        Confusion(
            names=names,
            figure=figures.draw_confusion(matrix, f"Confusion matrix of {', '.join(names)}"),
            frequent=figures.frequent_confusions(matrix),
            num_mistakes=int(matrix.sum() - np.trace(matrix)),
        )
        for names, matrix in groups
    ]


def command(verdict: Verdict) -> str:
    """Returns the command that makes the same models from the same data."""
    name = verdict.dataset.name
    settings: dict[str, str | int | float] = {
        "DATASET": name if name in _TITLES else f"<folder of {name}>",
        "EPOCHS": verdict.epochs,
        "SEED": verdict.seed,
    }
    if verdict.trials:
        settings["TRIALS"] = verdict.trials
    for check in verdict.models[0].checks:
        if check.name == "min_accuracy" and check.limit != Limits.min_accuracy:
            settings["MIN_ACCURACY"] = check.limit
    for check in verdict.models[-1].checks:
        if check.name == "max_latency_us":
            settings["MAX_LATENCY_US"] = check.limit
    variants = [model.name for model in verdict.models[1:]]
    if variants != list(RECIPES):
        settings["RECIPES"] = ",".join(variants)
    return " ".join(["make run", *(f"{key}={shlex.quote(str(v))}" for key, v in settings.items())])
