"""The answers as a table on the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.task import Task
from serve.client.answers import Answer, Answers, disagrees
from serve.client.images import Seen

_WIDEST = 10_000  # columns, of which a table takes what it needs


def show(
    images: tuple[Seen, ...], models: tuple[Answers, ...], task: Task, console: Console
) -> None:
    """Prints a row for each image, and of each model label, probability and time.

    Where nobody looks at a terminal of a certain width, lines are as long as they have to be.

    Args:
      images: that were asked about.
      models: what they say.
      task: whose labels these are.
      console: where to.
    """
    table = Table(box=box.SIMPLE, padding=(0, 1), pad_edge=False, collapse_padding=True)
    table.add_column("image", overflow="fold", min_width=6)
    for model in models:
        table.add_column(model.model, overflow="fold")
    if len(models) > 1:
        table.add_column("", no_wrap=True)
    for place, image in enumerate(images):
        cells = [_cell(model.of_images[place], task) for model in models]
        differ = disagrees(models, place)
        marks = [Text("differ" if differ else "", "red")] if len(models) > 1 else []
        table.add_row(Text(_plain(image.name)), *cells, *marks)
    if not console.is_terminal:
        console = Console(file=console.file, width=_WIDEST, highlight=False)
    console.print(table)
    if len(models) > 1:
        count = sum(disagrees(models, place) for place in range(len(images)))
        plural = "s" * (len(images) > 1)
        console.print(f"the models differ on {count} of {len(images)} image{plural}")


def _cell(answer: Answer, task: Task) -> Text:
    label = _plain(task.label_names[answer.label])
    return Text(f"{label} {answer.probability:.1%} {answer.microseconds:,.0f} us")


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
