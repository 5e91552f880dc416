"""Makes the report page: one HTML file that loads nothing else."""

import dataclasses
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from data.catalogue import CATALOGUE
from modules import features
from pipeline import report_figures
from pipeline.config import Limits

GALLERY_SIZE = 24
_FORMATS = {"tf_generic": "SavedModel", "tf_lite": "TFLite"}
_TITLES = {"digits": "offline digits"} | {name: entry.title for name, entry in CATALOGUE.items()}
_CHECKS = {
    "evaluator_blessing": "blessing by TFX's Evaluator",
    "min_accuracy": "accuracy on the eval images",
    "max_drop_from_last": "accuracy lost against the last blessed model",
    "max_accuracy_drop": "accuracy lost against the reference",
    "max_class_accuracy_drop": "accuracy lost in the worst class",
    "min_agreement": "agreement with the reference",
}


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the page shows beside comparison.json.

    Attributes:
      data_source: where the data came from, and why when it is a fallback.
      is_fallback: the data stands in for the one that was wanted.
      images: of the eval split, float32[N, 784] in [0, 1].
      labels: int64[N].
      logits: float32[N, classes] by model name; the reference's must be among them.
      confusion: int64[classes, classes] by model name, rows are actual classes.
      scalars: the training's (epoch, value) by TensorBoard tag; {} when there are none.
    """

    data_source: str
    is_fallback: bool
    images: np.ndarray
    labels: np.ndarray
    logits: Mapping[str, np.ndarray]
    confusion: Mapping[str, np.ndarray]
    scalars: Mapping[str, report_figures.Curve]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one model says of one image; `logits` are of the card's classes."""

    model: str
    predicted: int
    probability: float
    logits: list[float]


@dataclasses.dataclass(frozen=True)
class Card:
    """One image of a gallery, with the label and every prediction as its `classes`."""

    picture: str
    label: int
    classes: list[int]
    answers: list[Answer]


def render(content: Mapping[str, Any], evidence: Evidence) -> str:
    """Returns the page as HTML.

    Args:
      content: comparison.json with `pushed_to` filled in; NaN and null are shown as such.
      evidence: what the figures and galleries are made of.
    """
    reference = content["reference"]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {f.__name__: f for f in (share, size, number, failure, measured)}
    wrong, differing = mistakes(evidence, reference), disagreements(evidence, reference)
    return environment.get_template("report.html.j2").render(
        content=content,
        evidence=evidence,
        title=_TITLES.get(content["dataset"]["name"], content["dataset"]["name"]),
        headline=headline(content["models"]),
        check_names=_CHECKS,
        format_names=_FORMATS,
        class_rows=class_rows(content, evidence),
        confusions={
            name: (
                report_figures.draw_confusion(matrix, f"Confusion matrix of {name}"),
                report_figures.frequent_confusions(matrix),
            )
            for name, matrix in evidence.confusion.items()
        },
        curves=report_figures.draw_training(evidence.scalars),
        mistakes=cards(evidence, wrong[:GALLERY_SIZE]),
        num_mistakes=len(wrong),
        disagreements=cards(evidence, differing[:GALLERY_SIZE]),
        num_disagreements=len(differing),
        command=command(content),
    )


def headline(models: Sequence[Mapping[str, Any]]) -> str:
    """Says in one clause how many models were pushed."""
    pushed = sum(bool(model["pushed_to"]) for model in models)
    if pushed == len(models):
        return "Every model passed its checks and was pushed"
    return f"{pushed or 'None'} of {len(models)} models {'was' if pushed < 2 else 'were'} pushed"


def failure(check: Mapping[str, Any]) -> str:
    """Says what a failed check found and what it wanted."""
    if check["name"] == "evaluator_blessing":
        return "TFX's Evaluator did not bless it"
    found, wanted = measured(check)
    verb = "allowed" if wanted.startswith("at most") else "needed"
    return f"{_CHECKS.get(check['name'], check['name'])} is {found} ({wanted} is {verb})"


def measured(check: Mapping[str, Any]) -> tuple[str, str]:
    """Returns a check's value and its limit, the latter with the side on which it passes."""
    value, limit = check["value"], check["limit"]
    side = "at most" if check["name"].startswith("max_") else "at least"
    if check["name"] in _CHECKS:
        return share(value, limit), f"{side} {share(limit, value)}"
    return number(value), f"{side} {number(limit)}"


def share(value: float | None, beside: float | None = None) -> str:
    """Returns a share as a percentage, with enough digits to tell it from `beside`."""
    if value is None or not math.isfinite(value):
        return number(value)
    digits = 2
    if beside is not None and value != beside:
        while digits < 6 and f"{100 * value:.{digits}f}" == f"{100 * beside:.{digits}f}":
            digits += 1
    return f"{100 * value:z.{digits}f}\u202f%".replace("-", "\u2212")


def number(value: float | None, form: str = ".4g") -> str:
    """Formats a number; a missing one is a dash."""
    text = "\u2013" if value is None else format(value, form)
    return text.replace("-", "\u2212").replace("nan", "NaN")


def size(num_bytes: int) -> str:
    """Returns a size in KiB, or in MiB from one MiB on."""
    kib = num_bytes / 1024
    return f"{kib:.1f}\u202fKiB" if kib < 1024 else f"{kib / 1024:.2f}\u202fMiB"


def class_rows(content: Mapping[str, Any], evidence: Evidence) -> list[dict[str, Any]]:
    """Returns a table row for each class: accuracy of each model, difference to the reference.

    `heat` is 0 for a class without mistakes and 1 for the most mistaken one of the table.
    """
    by_model = {model["name"]: model["per_class_accuracy"] for model in content["models"]}
    accuracies = [value for values in by_model.values() for value in values.values()]
    worst = max((1 - value for value in accuracies if value < 1), default=1)
    labels = sorted({label for values in by_model.values() for label in values}, key=int)
    rows = []
    for label in labels:
        base = by_model[content["reference"]].get(label, math.nan)
        cells = [
            {
                "value": value,
                "difference": round(100 * (value - base), 2),
                "heat": 0 if math.isnan(value) else (1 - value) / worst,
            }
            for value in (values.get(label, math.nan) for values in by_model.values())
        ]
        images = int(np.count_nonzero(evidence.labels == int(label)))
        rows.append({"label": label, "images": images, "cells": cells})
    return rows


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Returns the softmax of float32[N, classes]; quantized log-probabilities need not add up."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def mistakes(evidence: Evidence, reference: str) -> np.ndarray:
    """Returns int64[M], the rows that the reference gets wrong, the surest mistake first."""
    logits = evidence.logits[reference]
    rows = np.flatnonzero(logits.argmax(axis=1) != evidence.labels)
    confidence = probabilities(logits[rows]).max(axis=1)
    return rows[np.argsort(-confidence, kind="stable")]


def disagreements(evidence: Evidence, reference: str) -> np.ndarray:
    """Returns int64[D], the rows that a model classifies unlike the reference, largest gap first.

    The gap is the largest absolute difference of a logit to the reference's.
    """
    expected = evidence.logits[reference]
    differs = np.zeros(len(expected), bool)
    gap = np.zeros(len(expected))
    for logits in evidence.logits.values():
        differs |= logits.argmax(axis=1) != expected.argmax(axis=1)
        gap = np.maximum(gap, np.abs(logits - expected).max(axis=1))
    rows = np.flatnonzero(differs)
    return rows[np.argsort(-gap[rows], kind="stable")]


def cards(evidence: Evidence, rows: np.ndarray) -> list[Card]:
    """Returns a card for each of the rows int64[R] of the eval split."""
    found = []
    for row in rows:
        label = int(evidence.labels[row])
        predicted = {name: int(logits[row].argmax()) for name, logits in evidence.logits.items()}
        classes = sorted({label, *predicted.values()})
        answers = [
            Answer(
                name,
                predicted[name],
                float(probabilities(logits[row : row + 1])[0, predicted[name]]),
                [float(logits[row, shown]) for shown in classes],
            )
            for name, logits in evidence.logits.items()
        ]
        picture = report_figures.picture(evidence.images[row], features.IMAGE_SHAPE[:2])
        found.append(Card(picture, label, classes, answers))
    return found


def command(content: Mapping[str, Any]) -> str:
    """Returns the command that makes the same models from the same data."""
    name = content["dataset"]["name"]
    settings = {
        "DATASET": name if name in _TITLES else f"<folder of {name}>",
        "EPOCHS": content["epochs"],
        "SEED": content["seed"],
    }
    for check in content["models"][0]["checks"]:
        if check["name"] == "min_accuracy" and check["limit"] != Limits.min_accuracy:
            settings["MIN_ACCURACY"] = check["limit"]
    return " ".join(["make run", *(f"{key}={shlex.quote(str(v))}" for key, v in settings.items())])
