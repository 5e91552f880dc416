"""Comparisons and evidence to render, and what a page holds."""

from collections import Counter
from html.parser import HTMLParser
from typing import Any

import numpy as np

from pipeline import report_page

ADDRESSES = {"src", "srcset", "href", "xlink:href", "action", "data", "poster"}
PUSHED = "/srv/device/17"


def one_hot_logits(predicted: np.ndarray, num_classes: int, top: float = 0.9) -> np.ndarray:
    """Log-probabilities float32[N, classes] that give `predicted` the probability `top`."""
    rest = (1 - top) / (num_classes - 1)
    chosen = np.eye(num_classes, dtype=bool)[predicted]
    return np.log(np.where(chosen, top, rest)).astype(np.float32)


def check(name: str, value: float, limit: float, passed: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "passed": passed}


def model(name: str, num_classes: int = 10, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "model_type": "tf_generic" if name == "saved_model" else "tf_lite",
        "bytes": 3_313_536,
        "metrics": {"accuracy": 0.985, "loss": 0.0651},
        "per_class_accuracy": {str(label): 1 - label / 1000 for label in range(num_classes)},
        "agreement": 0.9995,
        "max_abs_logit_difference": 1.5e-5,
        "latency_us": {"batch_1": {"p50": 1202.2, "p90": 1370.5}},
        "checks": [check("evaluator_blessing", 1, 1), check("min_accuracy", 0.985, 0.97)],
        "blessed": True,
        "pushed_to": PUSHED,
    } | changes


def comparison(*models: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "reference": "saved_model",
        "models": list(models) or [model("saved_model"), model("float32")],
        "dataset": {"name": "mnist", "train_examples": 60_000, "eval_examples": 10_000},
        "seed": 3,
        "epochs": 4,
        "versions": {"tfx": "1.21.0", "jax": "0.10.2"},
    }


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
    }
    return report_page.Evidence(**fields | changes)


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


def page(content: dict[str, Any] | None = None, shown: Any = None) -> Page:
    return Page(report_page.render(content or comparison(), shown or evidence()))


def with_mistakes(wrong: dict[int, tuple[int, float]]) -> np.ndarray:
    """Logits of `evidence()` but for {row: (predicted, its probability)}."""
    logits = evidence().logits["saved_model"].copy()
    for row, (predicted, top) in wrong.items():
        logits[row] = one_hot_logits(np.array([predicted]), 10, top)[0]
    return logits
