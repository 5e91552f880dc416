"""Pages with everything on them, of tasks of several kinds."""

import dataclasses
from typing import Any

import numpy as np

from pipeline.metadata.runs import NodeTime
from pipeline.report import rendering
from pipeline.verdict.chance import accuracy_interval
from pipeline.verdict.checks import Check
from pipeline.verdict.origin import Dataset
from pipeline.verdict.runtimes.compared import Difference, RuntimeMetrics
from pipeline.verdict.verdict import Conversion, Metrics
from tests.support.report.report_pages import FULL_GRAPH, SIX, evidence, model, verdict

UNDELEGATED = {"MEAN": ("pool",), "SUM": ("norm/1", "norm/2")}

XNNPACK = RuntimeMetrics(30, 0.9, 1.0, 1.0, 0, 0, 0, 0.0, 1.4, None)
TFLM = RuntimeMetrics(30, 0.8, 0.9, 1.0, 3, 0, 13, 2.6, 9.3, None)
NOT_RUN = {"jvm": "jvm needs java, which is not installed"}

NOISES = (0, 0, 0, 0.02, 0.4, 0.4)  # by how much each of SIX differs


def _logits(labels: np.ndarray, num_classes: int, margin: float) -> dict[str, Any]:
    """Returns logits of SIX: the same but for noise, right for most of the labels."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(len(labels), num_classes)) + margin * np.eye(num_classes)[labels]
    return {
        name: (scores + random.normal(size=scores.shape) * noise).astype(np.float32)
        for name, noise in zip(SIX, NOISES, strict=True)
    }


def page_of(
    labels: np.ndarray,
    label_names: tuple[str, ...],
    image_shape: tuple[int, int, int],
    margin: float = 4,
    **changes: Any,
) -> str:
    """Returns a page: six models, one undecided, one failed, mistakes, disagreements.

    Args:
      labels: int64[N], of the test images.
      label_names: of the classes, of which not all have to occur.
      image_shape: height, width and channels.
      margin: by how much the logit of the label is higher.
      **changes: to the verdict.
    """
    num_classes = len(label_names)
    logits = _logits(labels, num_classes, margin)
    confusion = {name: np.zeros((num_classes, num_classes), np.int64) for name in SIX}
    models = []
    for name, matrix in confusion.items():
        np.add.at(matrix, (labels, logits[name].argmax(axis=1)), 1)
        totals, right = matrix.sum(axis=1), matrix.diagonal()
        models.append(
            model(
                name,
                metrics=Metrics(float(right.sum() / len(labels)), 0.0651),
                accuracy_interval=accuracy_interval(int(right.sum()), len(labels)),
                per_class_accuracy={
                    str(label): float(right[label] / totals[label])
                    for label in np.flatnonzero(totals)
                },
            )
        )
    doubtful = (Check("evaluator_blessing", 1, 1), Check("min_agreement", 0.9, 0.995, 30, True))
    models[-2] = dataclasses.replace(
        models[-2],
        checks=doubtful,
        conversion=Conversion(undelegated=UNDELEGATED),
        runtimes={
            "xnnpack": XNNPACK,
            "tflm": dataclasses.replace(
                TFLM, first_difference=Difference(0, int(labels[0]), 0, num_classes - 1)
            ),
        },
        runtimes_not_run=NOT_RUN,
    )
    failed = (Check("evaluator_blessing", 0, 1), Check("max_bytes", 836_120, 800_000))
    models[-1] = dataclasses.replace(models[-1], checks=failed, pushed_to=None)
    images = np.random.default_rng(1).uniform(size=(len(labels), int(np.prod(image_shape))))
    judged = verdict(*models, image_shape=image_shape, label_names=label_names)
    shown = evidence(
        SIX,
        images=images.astype(np.float32),
        labels=labels,
        logits=logits,
        confusion=confusion,
        graph=FULL_GRAPH,
        times={node: NodeTime(123.4, node.startswith("Quantizer")) for node in FULL_GRAPH},
    )
    return rendering.render(dataclasses.replace(judged, **changes), shown)


def digits() -> str:
    """Four hundred images of ten digits."""
    return page_of(np.arange(400) % 10, tuple("0123456789"), (28, 28, 1))


def three_grey() -> str:
    """Thirty images of 20x30 of two classes, a third has none; the names are awkward."""
    names = ("Äpfel & <b>Birnen</b>", "$x$ 葉", "a rather long name of a class without an image")
    return page_of(
        np.arange(30) % 2,
        names,
        (20, 30, 1),
        margin=1.5,
        title="Fruit <small>",
        model="own.py",
        params="/data/trained/params",
        dataset=Dataset("fruit", train_examples=90, eval_examples=30, image_size=None),
        notes=("No test image is of a class.",),
    )


def hundred_in_colours() -> str:
    """Two thousand images of 32x32 in colours of a hundred classes."""
    names = tuple(f"species number {label}" for label in range(100))
    return page_of(
        np.arange(2000) % 100,
        names,
        (32, 32, 3),
        title="Species",
        dataset=Dataset("species", train_examples=50_000, eval_examples=2000, image_size=None),
    )
