"""The table at the end of a run: everything is in it, at the width of a terminal."""

import dataclasses
import io
import math
import re
from typing import Any

import pytest
from rich.console import Console

from pipeline.running.summary import print_verdict
from pipeline.verdict.checks import Check
from pipeline.verdict.judge import refuse
from pipeline.verdict.measured import Refused
from pipeline.verdict.verdict import HardMetrics, JudgedModel, Latency, Metrics
from tests.support.report.report_pages import model, verdict

Pair = tuple[JudgedModel, JudgedModel]
TOO_LOW = Check("min_accuracy", 0.1, 0.97)


@pytest.fixture
def models() -> Pair:
    """Two models, the second with the widest name and figures that are to be expected."""
    server = model(
        "saved_model",
        bytes=3_400_192,
        metrics=Metrics(0.99123, 0.02714),
        hard=HardMetrics(0.91234, 0.31, agreement=1.0),
        agreement=1.0,
        latency_us={"batch_1": Latency(1234.4, 2345.6)},
        pushed_to=None,
    )
    device = model(
        "dynamic_range",
        bytes=12_345_678,
        metrics=Metrics(0.1, 12.5),
        hard=HardMetrics(1.0, 12.5, agreement=0.5),
        agreement=0.99987,
        latency_us={"batch_1": Latency(98765.4, 99999.9)},
        checks=(TOO_LOW,),
        pushed_to=None,
    )
    return server, device


def _printed(*models: JudgedModel, **changes: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_verdict(verdict(*models, **changes), console)
    return console.file.getvalue().splitlines()


def _cells(lines: list[str], name: str) -> list[str]:
    (line,) = [line for line in lines if line.strip().startswith(f"{name} ")]
    return re.split(r"  +", line.strip())


def test_table_holds_everything_at_80_columns(models: Pair) -> None:
    lines = _printed(*models)
    assert lines[0].strip() == "MNIST: trained on 60,000, tested on 10,000 images"
    header = ["model", "KiB", "accuracy", "hard", "loss", "agrees", "1 image", "blessed"]
    assert _cells(lines, "model") == header
    assert _cells(lines, "saved_model") == [
        "saved_model", "3,320", "99.12%", "91.23%", "0.0271", "100.00%", "1,234 us", "yes",
    ]  # fmt: skip
    assert _cells(lines[:-1], "dynamic_range") == [
        "dynamic_range", "12,056", "10.00%", "100.00%", "12.5000", "99.99%", "98,765 us", "no",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_failed_checks_are_printed_and_passed_ones_not(
    models: Pair,
) -> None:
    checks = (
        Check("evaluator_blessing", 0.0, 1.0),
        Check("min_accuracy", 0.98, 0.97),
        Check("max_class_accuracy_drop", 0.006123, 0.005),
        Check("min_agreement", math.nan, 0.999),
    )
    server, device = models
    lines = _printed(server, dataclasses.replace(device, checks=checks))
    assert [line for line in lines if "failed" in line] == [
        "dynamic_range failed evaluator_blessing: no, must be yes",
        "dynamic_range failed max_class_accuracy_drop: 0.61 points, at most 0.50 points",
        "dynamic_range failed min_agreement: NaN, at least 99.90 %",
    ]


def test_refused_model_has_dashes_and_its_reason(models: Pair) -> None:
    reason = "TFLite's converter failed: no kernel for 'tfl.transpose'"
    lines = _printed(models[0], refuse(Refused("dynamic_range", None, reason)))
    assert _cells(lines[:-1], "dynamic_range")[:-1] == ["dynamic_range", *"------"]
    assert lines[-1] == f"dynamic_range was refused: {reason}"


def test_brackets_in_a_reason_or_a_title_are_no_markup(models: Pair) -> None:
    reason = "XNNPACK does not run [SUB], see [bold]"
    lines = _printed(
        models[0], refuse(Refused("int8", None, reason)), title="[red] & [green]", params="[a]/b"
    )
    assert lines[0].strip() == "[red] & [green]: parameters from [a]/b, tested on 10,000 images"
    assert lines[-1] == f"int8 was refused: {reason}"


def test_what_too_few_images_decide_is_marked_and_told(models: Pair) -> None:
    undecided = Check("max_accuracy_drop", 3 / 30, 0.001, 30, within_chance=True)
    server, device = models
    lines = _printed(server, dataclasses.replace(device, checks=(undecided,)))
    assert _cells(lines[:-1], "dynamic_range")[-1] == "yes ?"
    assert max(map(len, lines[:-2])) <= 80
    assert " ".join(" ".join(lines[-2:]).split()) == (
        "dynamic_range, not enough images to tell max_accuracy_drop: 10.00 points (3 of 30 "
        "images), at most 0.10 points"
    )
    both = _printed(server, dataclasses.replace(device, checks=(undecided, TOO_LOW)))
    assert _cells(both[:-1], "dynamic_range")[-1] == "no"
    assert not [line for line in both if "not enough" in line]


def test_a_network_that_did_not_learn_is_told_once(models: Pair) -> None:
    """Without what its models fail for that; but a variant is refused for a reason of its own."""
    checks = (Check("min_learned_accuracy", 0.08, 0.104), TOO_LOW)
    server, device = (dataclasses.replace(model, checks=checks) for model in models)
    lines = _printed(server, device, refuse(Refused("int8", None, "no kernel")))
    assert lines[-2:] == [
        "The network did not learn: it gets 99.12 % of the test images right, and always naming "
        "the most frequent class 10.40 %.",
        "int8 was refused: no kernel",
    ]


def test_where_models_were_pushed_in_one_piece(models: Pair) -> None:
    """However long: the path can be copied from the terminal."""
    destination = "/tmp/" + "long-name/" * 12 + "serving/1700000000"
    lines = _printed(dataclasses.replace(models[0], pushed_to=destination), models[1])
    assert [line for line in lines if "pushed" in line] == [f"saved_model pushed to {destination}"]


def test_models_that_were_pushed_together_share_a_line(
    models: Pair,
) -> None:
    server, device = (dataclasses.replace(model, pushed_to="/srv/17") for model in models)
    assert _printed(server, device)[-1] == "saved_model, dynamic_range pushed to /srv/17"
    assert _printed(server, dataclasses.replace(device, pushed_to="/srv/18"))[-2:] == [
        "saved_model pushed to /srv/17",
        "dynamic_range pushed to /srv/18",
    ]
