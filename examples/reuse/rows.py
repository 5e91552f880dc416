"""What a comparison comes to, as a table on the terminal."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from rich import box
from rich.table import Table


@dataclasses.dataclass(frozen=True)
class Row:
    """What a method came to.

    Attributes:
      task: its name.
      method: its name.
      rate: Adam's learning rate.
      images: how many were labelled.
      tested: how many others it was asked about.
      accuracies: the share of these that it got right, for each seed.
    """

    task: str
    method: str
    rate: float
    images: int
    tested: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def shown(self) -> str:
        """Mean and range."""
        return f"{self.mean:.1%} ({min(self.accuracies):.1%}-{max(self.accuracies):.1%})"


def table_of(rows: Sequence[Row]) -> Table:
    """Returns a line for each task, method and rate, with a column for each number of images."""
    table = Table(box=box.SIMPLE, padding=(0, 1), pad_edge=False, collapse_padding=True)
    table.add_column("task")
    table.add_column("method", no_wrap=True)
    table.add_column("rate", justify="right", no_wrap=True)
    for count in dict.fromkeys(row.images for row in rows):
        table.add_column(f"{count:,} images", justify="right", no_wrap=True)
    lines: dict[tuple[str, str, float], list[str]] = {}
    for row in rows:
        lines.setdefault((row.task, row.method, row.rate), []).append(row.shown)
    task_before = ""
    for (task, method, rate), cells in lines.items():
        if task_before not in ("", task):
            table.add_section()
        table.add_row(task if task != task_before else "", method, f"{rate:.2g}", *cells)
        task_before = task
    return table
