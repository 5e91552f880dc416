"""The table at the end of a run: everything is in it, at the width of a terminal."""

import copy
import io
import re
from typing import Any

import pytest
from rich.console import Console

from pipeline.running.summary import print_comparison
from pipeline.verdict import compare as comparison_module
from pipeline.verdict.measured import Refused

ENTRY = {
    "name": "saved_model",
    "model_type": "tf_generic",
    "bytes": 3_400_192,
    "metrics": {"accuracy": 0.99123, "loss": 0.02714},
    "hard": {"accuracy": 0.91234, "loss": 0.31, "agreement": 1.0},
    "per_class_accuracy": {"0": 1.0},
    "agreement": 1.0,
    "latency_us": {"batch_1": {"p50": 1234.4, "p90": 2345.6}},
    "checks": [{"name": "min_accuracy", "value": 0.99123, "limit": 0.97, "passed": True}],
    "refused": None,
    "blessed": True,
    "pushed_to": None,
}
DEVICE = {
    "name": "dynamic_range",
    "bytes": 12_345_678,
    "metrics": {"accuracy": 0.1, "loss": 12.5},
    "hard": {"accuracy": 1.0, "loss": 12.5, "agreement": 0.5},
    "agreement": 0.99987,
    "latency_us": {"batch_1": {"p50": 98765.4, "p90": 99999.9}},
    "blessed": False,
}


@pytest.fixture
def comparison() -> dict[str, Any]:
    """Two models, the second with the widest name and figures that are to be expected."""
    return {
        "dataset": {"name": "mnist", "train_examples": 60000, "eval_examples": 10000},
        "models": [copy.deepcopy(ENTRY), copy.deepcopy(ENTRY | DEVICE)],
    }


def _printed(comparison: dict[str, Any]) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_comparison(comparison, console)
    return console.file.getvalue().splitlines()


def _cells(lines: list[str], name: str) -> list[str]:
    (line,) = [line for line in lines if line.strip().startswith(f"{name} ")]
    return re.split(r"  +", line.strip())


def test_table_holds_everything_at_80_columns(comparison: dict[str, Any]) -> None:
    lines = _printed(comparison)
    assert lines[0].strip() == "mnist: trained on 60,000, tested on 10,000 images"
    header = ["model", "KiB", "accuracy", "hard", "loss", "agrees", "1 image", "blessed"]
    assert _cells(lines, "model") == header
    assert _cells(lines, "saved_model") == [
        "saved_model", "3,320", "99.12%", "91.23%", "0.0271", "100.00%", "1,234 us", "yes",
    ]  # fmt: skip
    assert _cells(lines, "dynamic_range") == [
        "dynamic_range", "12,056", "10.00%", "100.00%", "12.5000", "99.99%", "98,765 us", "no",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_failed_checks_are_printed_and_passed_ones_not(comparison: dict[str, Any]) -> None:
    comparison["models"][1]["checks"] = [
        {"name": "evaluator_blessing", "value": 0.0, "limit": 1.0, "passed": False},
        {"name": "min_accuracy", "value": 0.98, "limit": 0.97, "passed": True},
        {"name": "max_class_accuracy_drop", "value": 0.006123, "limit": 0.005, "passed": False},
        {"name": "min_agreement", "value": float("nan"), "limit": 0.999, "passed": False},
    ]
    lines = _printed(comparison)
    assert [line for line in lines if "failed" in line] == [
        "dynamic_range failed evaluator_blessing: no, must be yes",
        "dynamic_range failed max_class_accuracy_drop: 0.61 points, at most 0.50 points",
        "dynamic_range failed min_agreement: NaN, at least 99.90 %",
    ]


def test_refused_model_has_dashes_and_its_reason(comparison: dict[str, Any]) -> None:
    reason = "TFLite's converter failed: no kernel for 'tfl.transpose'"
    refused = comparison_module.refuse(Refused("dynamic_range", None, reason))
    lines = _printed({**comparison, "models": [comparison["models"][0], refused]})
    assert _cells(lines[:-1], "dynamic_range")[:-1] == ["dynamic_range", *"------"]
    assert lines[-1] == f"dynamic_range was refused: {reason}"


def test_where_models_were_pushed_in_one_piece(comparison: dict[str, Any]) -> None:
    """However long: the path can be copied from the terminal."""
    destination = "/tmp/" + "long-name/" * 12 + "serving/1700000000"
    comparison["models"][0]["pushed_to"] = destination
    lines = _printed(comparison)
    assert [line for line in lines if "pushed" in line] == [f"saved_model pushed to {destination}"]


def test_models_that_were_pushed_together_share_a_line(comparison: dict[str, Any]) -> None:
    for model in comparison["models"]:
        model["pushed_to"] = "/srv/17"
    assert _printed(comparison)[-1] == "saved_model, dynamic_range pushed to /srv/17"
    comparison["models"][1]["pushed_to"] = "/srv/18"
    assert _printed(comparison)[-2:] == [
        "saved_model pushed to /srv/17",
        "dynamic_range pushed to /srv/18",
    ]
