"""What a run came to, as a table on the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.report.conclusions import diagnosis
from pipeline.report.formatting import sentence
from pipeline.verdict.checks import Check, Outcome
from pipeline.verdict.personal.judged import Personal
from pipeline.verdict.verdict import BATCH_1, Verdict

_BLESSED = {
    Outcome.PASSED: "[green]yes",
    Outcome.FAILED: "[red]no",
    Outcome.UNDECIDED: "[yellow]yes ?",
}


def _cell(value: float | None, form: str, unit: str = "") -> str:
    """Formats a number, a dash where nothing was measured."""
    return "-" if value is None else format(value, form) + unit


def _plain(text: str) -> str:
    """Returns a sentence in letters that every terminal has."""
    return text.replace("\u202f", " ")


def _told(check: Check) -> str:
    """Says what a check found."""
    return _plain(f"{check.name}: {sentence(check)}")


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Prints one row a model and, below, what is not right with them and where they were pushed.

    "hard" is the accuracy on the hard set, all else is of the test set: "agrees" is the
    share of images with the reference's answer, "1 image" the median time of a single image. A
    question mark is for models with checks that too few images decide.

    Args:
      verdict: on all models.
      console: where to.
    """
    data = verdict.dataset
    origin = (
        f"parameters from {verdict.params}"
        if verdict.params
        else f"trained on {data.train_examples:,}"
    )
    table = Table(
        title=Text(f"{verdict.title}: {origin}, tested on {data.eval_examples:,} images"),
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
            _BLESSED[model.outcome],
        )
    console.print(table)
    wrong = diagnosis(verdict)
    if wrong:
        console.print(_plain(wrong), soft_wrap=True)
    for model in verdict.models:
        if model.refused:
            reason = f"{model.name} was refused: {model.refused}"
            console.print(reason, soft_wrap=True, markup=False)
        elif not wrong:
            for check in model.failed_checks:
                console.print(f"{model.name} failed {_told(check)}")
        for check in model.undecided_checks if model.blessed else ():
            console.print(f"{model.name}, not enough images to tell {_told(check)}")
    destinations: dict[str, list[str]] = {}
    for model in verdict.models:
        if model.pushed_to:
            destinations.setdefault(model.pushed_to, []).append(model.name)
    if personal := verdict.personal:
        _print_personal(personal, console)
        if personal.pushed_to:
            destinations.setdefault(personal.pushed_to, []).append("personal")
    for destination, names in destinations.items():
        console.print(f"{', '.join(names)} pushed to {destination}", soft_wrap=True, markup=False)


def _print_personal(personal: Personal, console: Console) -> None:
    """Prints what became of the model that is trained on the device."""
    if personal.refused:
        console.print(f"personal was refused: {personal.refused}", markup=False)
        return
    samples, after = list(personal.after.items())[-1]
    console.print(
        f"personal ({personal.head}, {personal.optimizer}): {personal.people} simulated people go "
        f"from {personal.before:.1%} to {after:.1%} with {samples} samples each",
        markup=False,
    )
    for check in personal.checks:
        if not check.passed:
            console.print(f"personal failed {_told(check)}")
