"""What the report shows of the models in other runtimes: a table, reasons, and images."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from modules.inference.runtimes.catalogue import RUNTIMES, STANDARD
from pipeline.report import figures
from pipeline.verdict.runtimes.compared import RuntimeMetrics
from pipeline.verdict.verdict import JudgedModel, Verdict


@dataclasses.dataclass(frozen=True)
class Told:
    """A model in a runtime that names another class for an image than XNNPACK."""

    model: str
    runtime: str
    expected: int
    found: int


@dataclasses.dataclass(frozen=True)
class Differing:
    """An image that is the first on which runtimes differ; `picture` as in a gallery's card."""

    image: int
    picture: str
    label: int
    told: tuple[Told, ...]


@dataclasses.dataclass(frozen=True)
class RuntimeTable:
    """Models by runtimes.

    Attributes:
      titles: of the runtimes in the columns, by name; those that ran any model.
      rows: of each model that was asked about, what each column says; None where it was not run.
      not_run: reasons, each with the models that it is of.
      images: how many images were asked about.
      differing: the images, by their place in the test set.
    """

    titles: Mapping[str, str]
    rows: Mapping[str, list[RuntimeMetrics | None]]
    not_run: Mapping[str, list[str]]
    images: int
    differing: tuple[Differing, ...]


def image_rows(models: Sequence[JudgedModel]) -> list[int]:
    """Returns the rows of the eval split that the table has pictures of, rising and each once."""
    first = [found.first_difference for model in models for found in model.runtimes.values()]
    return sorted({each.image for each in first if each})


def table(verdict: Verdict, images: Mapping[int, np.ndarray]) -> RuntimeTable | None:
    """Returns what there is to show, None where no runtime was asked.

    Args:
      verdict: on all models.
      images: float32[pixels] in [0, 1] by row of the eval split; at least `image_rows`.
    """
    asked = [model for model in verdict.models if model.runtimes or model.runtimes_not_run]
    if not asked:
        return None
    ran = {name for model in asked for name in model.runtimes}
    names = [name for name in RUNTIMES if name in ran] + sorted(ran - RUNTIMES.keys())
    not_run: dict[str, list[str]] = {}
    for model in asked:
        for reason in model.runtimes_not_run.values():
            not_run.setdefault(reason, []).append(model.name)
    counts = [found.images for model in asked for found in model.runtimes.values()]
    return RuntimeTable(
        titles={name: RUNTIMES[name].title if name in RUNTIMES else name for name in names},
        rows={model.name: [model.runtimes.get(name) for name in names] for model in asked},
        not_run=not_run,
        images=max(counts, default=0),
        differing=tuple(_differing(row, asked, images, verdict) for row in image_rows(asked)),
    )


def _differing(
    row: int, models: Sequence[JudgedModel], images: Mapping[int, np.ndarray], verdict: Verdict
) -> Differing:
    found = [
        (model.name, runtime, metrics.first_difference)
        for model in models
        for runtime, metrics in model.runtimes.items()
        if metrics.first_difference and metrics.first_difference.image == row
    ]
    told = (Told(model, runtime, each.expected, each.found) for model, runtime, each in found)
    picture = figures.picture(images[row], verdict.image_shape)
    return Differing(row, picture, found[0][2].label, tuple(told))


def furthest(found: RuntimeMetrics, name: str) -> str | None:
    """Says how far a runtime's numbers are from XNNPACK's at most; nothing of XNNPACK itself."""
    if name == STANDARD:
        return None
    steps = found.max_step_difference
    if steps is not None:
        return f"{steps} step{'' if steps == 1 else 's'}"
    return f"{found.max_logit_difference:.2g}".replace("-", "\u2212")
