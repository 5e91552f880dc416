"""Verdicts and evidence to render, and what a page holds."""

import dataclasses
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import numpy as np

from modules.export.recipes import RECIPES
from pipeline.metadata.runs import NodeTime
from pipeline.report import rendering
from pipeline.verdict.checks import Check
from pipeline.verdict.verdict import (
    SCHEMA_VERSION,
    Dataset,
    HardMetrics,
    JudgedModel,
    Latency,
    Metrics,
    Verdict,
)

ADDRESSES = {"src", "srcset", "href", "xlink:href", "action", "data", "poster"}
PUSHED = "/srv/device/17"
SIX = ("saved_model", *RECIPES)
# A part of the real one: a fork, a join, and shortcuts past each.
GRAPH = {
    "ExampleGen": [],
    "Trainer": ["ExampleGen"],
    "Quantizer.int8": ["ExampleGen", "Trainer"],
    "Evaluator": ["ExampleGen", "Trainer"],
    "Evaluator.int8": ["ExampleGen", "Quantizer.int8"],
    "Comparison": ["Trainer", "Evaluator", "Evaluator.int8"],
    "Pusher": ["Trainer", "Evaluator"],
    "Pusher.device": ["Comparison"],
    "Report": ["Comparison", "Pusher", "Pusher.device"],
}
# The whole one, as create_pipeline gives it but for its many shortcuts.
FULL_GRAPH = {
    "FileBasedExampleGen": [],
    "CuratedSchema": [],
    "StatisticsGen": ["FileBasedExampleGen"],
    "ExampleValidator": ["CuratedSchema", "StatisticsGen"],
    "AnomalyGate": ["ExampleValidator"],
    "Transform": ["AnomalyGate", "CuratedSchema", "FileBasedExampleGen"],
    "Trainer": ["CuratedSchema", "FileBasedExampleGen", "Transform"],
    "LastBlessedModel": ["Trainer"],
    **{f"Quantizer.{name}": ["Trainer"] for name in RECIPES if name != "float32"},
    "Evaluator": ["LastBlessedModel", "Trainer"],
    "Evaluator.float32": ["LastBlessedModel", "Trainer"],
    **{
        f"Evaluator.{name}": ["LastBlessedModel", f"Quantizer.{name}"]
        for name in RECIPES
        if name != "float32"
    },
    "RuntimeParity": ["Trainer", *(f"Quantizer.{name}" for name in RECIPES if name != "float32")],
    "Comparison": ["RuntimeParity", "Evaluator", *(f"Evaluator.{name}" for name in RECIPES)],
    "Pusher": ["Evaluator", "Trainer"],
    "Pusher.device": ["Comparison"],
    "Report": ["Comparison", "Pusher", "Pusher.device"],
}
TIMES = {
    "ExampleGen": NodeTime(3.681, True),
    "Trainer": NodeTime(311.996, False),
    "Comparison": NodeTime(0.019, False),
}


def one_hot_logits(predicted: np.ndarray, num_classes: int, top: float = 0.9) -> np.ndarray:
    """Logits float32[N, classes] that give `predicted` the probability `top`."""
    rest = (1 - top) / (num_classes - 1)
    chosen = np.eye(num_classes, dtype=bool)[predicted]
    return np.log(np.where(chosen, top, rest)).astype(np.float32)


def model(name: str, num_classes: int = 10, **changes: Any) -> JudgedModel:
    latency = {"batch_1": Latency(1202.2, 1370.5)}
    if name != "saved_model":
        latency["batch_1_without_xnnpack"] = Latency(2803.3, 3004.4)
    fields = {
        "name": name,
        "model_type": "tf_generic" if name == "saved_model" else "tf_lite",
        "bytes": 3_313_536,
        "metrics": Metrics(0.985, 0.0651),
        "accuracy_interval": (0.98243, 0.98721),
        "hard": HardMetrics(0.912, 0.3125, agreement=0.987),
        "per_class_accuracy": {str(label): 1 - label / 1000 for label in range(num_classes)},
        "agreement": 0.9995,
        "max_abs_logit_difference": 1.5e-5,
        "latency_us": latency,
        "checks": (Check("evaluator_blessing", 1, 1), Check("min_accuracy", 0.985, 0.97)),
        "conversion": None,
        "runtimes": {},
        "runtimes_not_run": {},
        "refused": None,
        "pushed_to": PUSHED,
    }
    return JudgedModel(**fields | changes)


def verdict(*models: JudgedModel, **changes: Any) -> Verdict:
    """Of digits that are called by their numbers, 28x28 and grey."""
    found = Verdict(
        schema_version=SCHEMA_VERSION,
        title="MNIST",
        model="cnn",
        image_shape=(28, 28, 1),
        label_names=tuple("0123456789"),
        reference="saved_model",
        models=models or (model("saved_model"), model("float32")),
        dataset=Dataset("mnist", train_examples=60_000, eval_examples=10_000, image_size=None),
        notes=(),
        params=None,
        batch_sizes=(),
        seed=3,
        epochs=4,
        trials=0,
        versions={"tfx": "1.21.0", "jax": "0.10.2"},
        personal=None,
    )
    return dataclasses.replace(found, **changes)


def evidence(names: tuple[str, ...] = ("saved_model", "float32"), **changes: Any):
    """Forty images of ten classes, all models right about all of them."""
    num_classes = changes.pop("num_classes", 10)
    labels = np.arange(4 * num_classes) % num_classes
    logits = one_hot_logits(labels, num_classes)
    fields = {
        "data_source": "MNIST from the disk",
        "is_fallback": False,
        "images": np.zeros((len(labels), 784), np.float32),
        "labels": labels,
        "logits": dict.fromkeys(names, logits),
        "confusion": dict.fromkeys(names, 4 * np.eye(num_classes, dtype=np.int64)),
        "scalars": {
            "train_loss": [(1, 0.9), (2, 0.1)],
            "validation_loss": [(1, 0.8), (2, 0.2)],
            "validation_accuracy": [(1, 0.91), (2, 0.9876)],
        },
        "graph": GRAPH,
        "times": TIMES,
    }
    return rendering.Evidence(**fields | changes)


class Page(HTMLParser):
    """Notes every address, id, tag and the text of a page; fails where tags do not nest."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.ids = Counter(), Counter()
        self.addresses: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = " ".join(" ".join(self.words).replace("\u202f", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in ("meta", "link", "img", "br", "wbr"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]
        self.ids.update(value for name, value in attrs if name == "id")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)


def page(judged: Verdict | None = None, shown: Any = None) -> Page:
    return Page(rendering.render(judged or verdict(), shown or evidence()))


def with_mistakes(wrong: dict[int, tuple[int, float]]) -> np.ndarray:
    """Logits of `evidence()` but for {row: (predicted, its probability)}."""
    logits = evidence().logits["saved_model"].copy()
    for row, (predicted, top) in wrong.items():
        logits[row] = one_hot_logits(np.array([predicted]), 10, top)[0]
    return logits
