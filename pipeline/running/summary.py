"""What a run came to, as a table on the terminal."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.report.formatting import with_unit


def _cell(value: float | None, form: str, unit: str = "") -> str:
    """Formats a number, a dash where nothing was measured."""
    return "-" if value is None else format(value, form) + unit


def print_comparison(comparison: dict[str, Any], console: Console) -> None:
    """Prints one row a model and, below, each check that failed and where models were pushed.

    "hard" is the accuracy on the hard set, all else is of the test set: "agrees" is the
    share of images with the reference's answer, "1 image" the median time of a single image.

    Args:
      comparison: the content of `comparison.json`.
      console: where to.
    """
    data = comparison["dataset"]
    table = Table(
        title=f"{data['name']}: trained on {data['train_examples']:,}, tested on "
        f"{data['eval_examples']:,} images",
        title_justify="left",
        box=box.SIMPLE,
        padding=(0, 1),
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("model", no_wrap=True)
    for column in ("KiB", "accuracy", "hard", "loss", "agrees", "1 image"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("blessed", no_wrap=True)
    for model in comparison["models"]:
        kib = None if model["bytes"] is None else model["bytes"] / 1024
        table.add_row(
            model["name"],
            _cell(kib, ",.0f"),
            _cell(model["metrics"]["accuracy"], ".2%"),
            _cell(model["hard"]["accuracy"], ".2%"),
            _cell(model["metrics"]["loss"], ".4f"),
            _cell(model["agreement"], ".2%"),
            _cell(model["latency_us"]["batch_1"]["p50"], ",.0f", " us"),
            "[green]yes" if model["blessed"] else "[red]no",
        )
    console.print(table)
    for model in comparison["models"]:
        if model["refused"]:
            console.print(f"{model['name']} was refused: {model['refused']}", soft_wrap=True)
            continue
        for check in model["checks"]:
            if not check["passed"]:
                value, limit = (text.replace("\u202f", " ") for text in with_unit(check))
                console.print(f"{model['name']} failed {check['name']}: {value}, {limit}")
    destinations: dict[str, list[str]] = {}
    for model in comparison["models"]:
        if model["pushed_to"]:
            destinations.setdefault(model["pushed_to"], []).append(model["name"])
    for destination, names in destinations.items():
        console.print(f"{', '.join(names)} pushed to {destination}", soft_wrap=True)
