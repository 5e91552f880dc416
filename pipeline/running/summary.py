"""What a run came to, as a table on the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.report.formatting import sentence
from pipeline.verdict.verdict import BATCH_1, Verdict


def _cell(value: float | None, form: str, unit: str = "") -> str:
    """Formats a number, a dash where nothing was measured."""
    return "-" if value is None else format(value, form) + unit


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Prints one row a model and, below, each check that failed and where models were pushed.

    "hard" is the accuracy on the hard set, all else is of the test set: "agrees" is the
    share of images with the reference's answer, "1 image" the median time of a single image.

    Args:
      verdict: on all models.
      console: where to.
    """
    data = verdict.dataset
    table = Table(
        title=f"{data.name}: trained on {data.train_examples:,}, tested on "
        f"{data.eval_examples:,} images",
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
    for model in verdict.models:
        table.add_row(
            model.name,
            _cell(None if model.bytes is None else model.bytes / 1024, ",.0f"),
            _cell(model.metrics.accuracy, ".2%"),
            _cell(model.hard.accuracy, ".2%"),
            _cell(model.metrics.loss, ".4f"),
            _cell(model.agreement, ".2%"),
            _cell(model.latency_us[BATCH_1].p50, ",.0f", " us"),
            "[green]yes" if model.blessed else "[red]no",
        )
    console.print(table)
    for model in verdict.models:
        if model.refused:
            console.print(f"{model.name} was refused: {model.refused}", soft_wrap=True)
            continue
        for check in model.failed_checks:
            found = sentence(check).replace("\u202f", " ")
            console.print(f"{model.name} failed {check.name}: {found}")
    destinations: dict[str, list[str]] = {}
    for model in verdict.models:
        if model.pushed_to:
            destinations.setdefault(model.pushed_to, []).append(model.name)
    for destination, names in destinations.items():
        console.print(f"{', '.join(names)} pushed to {destination}", soft_wrap=True)
