"""Reuses a pushed SavedModel for new tasks with few labelled images, and measures what it is worth.

A new head is trained on its feature extractor, then both together. They are set against the same
head on raw pixels, and a CNN from scratch. Nothing is downloaded.
"""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from data.dataset import Dataset
from data.texts import check_texts, number
from examples.reuse import inputs, tasks
from examples.reuse.rows import Row, table_of
from examples.reuse.tasks import NewTask, Pool
from pipeline.running import console
from pipeline.running.exit_status import tells_wrong_settings

_MOST_IMAGES, _MOST_STEPS, _MOST_SEEDS, _LAST_SEED = 1_000_000, 100_000, 100, 2**31 - 1
_LEAST_SCALE, _MOST_SCALE = 1e-6, 1e6


@dataclasses.dataclass(frozen=True)
class Options:
    """How to compare.

    Attributes:
      images: numbers of labelled images.
      seeds: each draws images of its own.
      steps: of the optimizer, for each method.
      tested: how many test images, at most.
      scales: of the learning rates, which are then compared on validation images; none for the
        rates as they are, on the test images.
    """

    images: tuple[int, ...]
    seeds: tuple[int, ...]
    steps: int
    tested: int
    scales: tuple[float, ...] = ()


def compare(
    base: str, image_shape: tuple[int, int, int], pool: Pool, options: Options
) -> Iterator[Row]:
    """Yields a row for each number of images and each method; tells on stderr how far it is.

    Args:
      base: folder of the SavedModel.
      image_shape: height, width, channels.
      pool: the examples of the new task.
      options: how to.

    Raises:
      ConfigError: there are fewer images.
      RuntimeError: weights of the base moved that should not, or did not that should.
    """
    from examples.reuse import methods  # here: Keras takes its seconds

    asked = pool.validation if options.scales else pool.test
    pool.draw(max(options.images), options.seeds[0])  # too many should not be told in the end
    for scale in options.scales or (1.0,):
        rates = {name: rate * scale for name, rate in methods.RATES.items()}
        for count in options.images:
            found: dict[str, list[float]] = {name: [] for name in methods.METHODS}
            for seed in options.seeds:
                training = methods.Training(
                    base, image_shape, pool.task.num_classes, options.steps, seed, rates
                )
                for name, model in methods.trained(training, *pool.draw(count, seed)):
                    found[name].append(methods.accuracy(model, *asked))
                figures = ", ".join(f"{name} {found[name][-1]:.1%}" for name in found)
                print(
                    f"{pool.task.name}, {count:,} images, seed {seed}: {figures}", file=sys.stderr
                )
            for name, accuracies in found.items():
                about = pool.task.name, name, rates[name], count, len(asked[1])
                yield Row(*about, tuple(accuracies))


def _tell(rows: Sequence[Row], asked: Sequence[NewTask], options: Options) -> None:
    """Prints the table, and what it is of."""
    terminal = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    terminal.print(table_of(rows))
    part = "validation" if options.scales else "test"
    seeds = f"mean (range) of {len(options.seeds)} draws of the labelled images"
    steps = f"{options.steps} steps of Adam for each method"
    terminal.print(f"accuracy on {rows[0].tested:,} {part} images; {seeds}; {steps}")
    for task in asked:
        terminal.print(f"{task.name}: {task.note}", markup=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.keras_reuse", description=__doc__)
    parser.add_argument(
        "base", nargs="?", help="folder of a SavedModel (the newest that `make run` pushed)"
    )
    parser.add_argument(
        "--data",
        help="images of the new task, as DATASET (letters or clothes that are on disk; otherwise "
        "DATASET, of whose digits something else is asked)",
    )
    parser.add_argument("--classes", help="some of its classes, as 5,6,7 (all)")
    parser.add_argument("--images", default="10,100,1000", help="labelled ones (10,100,1000)")
    parser.add_argument("--seed", default="0", help="of the first draw of them (0)")
    parser.add_argument("--seeds", default="3", help="draws, each with the next seed (3)")
    parser.add_argument("--steps", default="300", help="of the optimizer, for each method (300)")
    parser.add_argument("--test", default="2000", help="test images, drawn at random (2000)")
    parser.add_argument(
        "--scales", help="compares learning rates on validation images: these times the usual"
    )
    parser.add_argument("--json", action="store_true", help="prints JSON instead of a table")
    return parser


def _options(args: argparse.Namespace) -> Options:
    """Returns the numbers of the command line, or raises ConfigError."""

    def one(name: str, least: float, most: float, kind: type = int, text: str = "") -> float:
        text = text or getattr(args, name) or " "
        return number({f"--{name}": text}, f"--{name}", kind, None, least, most)

    def several(name: str, *limits: float, kind: type = int) -> tuple:
        parts = getattr(args, name).split(",")
        found = (one(name, *limits, kind, part.strip() or " ") for part in parts)
        return tuple(dict.fromkeys(found))

    first, count = one("seed", 0, _LAST_SEED), one("seeds", 1, _MOST_SEEDS)
    return Options(
        several("images", 2, _MOST_IMAGES),
        tuple(range(first, first + count)),
        one("steps", 2, _MOST_STEPS),
        one("test", 1, _MOST_IMAGES),
        several("scales", _LEAST_SCALE, _MOST_SCALE, kind=float) if args.scales else (),
    )


def _inputs(args: argparse.Namespace) -> tuple[str, Dataset, list[NewTask]]:
    """Returns the folder of the base, the data and what is asked of it."""
    texts = {"SAVED_MODEL": args.base, "--data": args.data, "--classes": args.classes}
    check_texts(texts, tuple(texts))
    named = args.data or inputs.new_data(os.environ)
    dataset = inputs.find_data(named, os.environ) if named else None
    base = args.base
    if not (base and dataset):
        trained_on = inputs.find_data(os.environ.get("DATASET") or "auto", os.environ)
        dataset = dataset or trained_on
        base = base or inputs.newest_base(os.environ, trained_on)
    if args.classes:
        names = [name.strip() for name in args.classes.split(",")]
        return base, dataset, [tasks.classes_of(dataset, names)]
    if named:
        return base, dataset, [tasks.classes_of(dataset, dataset.task.label_names)]
    return base, dataset, tasks.tasks_of(dataset)


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = _parser().parse_args(arguments)
    options = _options(args)
    base, dataset, asked = _inputs(args)
    with console.library_output_to(Path(os.devnull)):
        known = inputs.check_base(base, dataset.task)
        print(f"{base} knows {known} classes; {dataset.summary}", file=sys.stderr)
        rows: list[Row] = []
        for task in asked:
            pool = tasks.make_pool(dataset, task, options.tested)
            rows += compare(base, dataset.task.image_shape, pool, options)
        if args.json:
            of_tasks = {task.name: task.note for task in asked}
            found = [{**dataclasses.asdict(row), "mean": row.mean} for row in rows]
            about = {"base": base, "base_classes": known, "data": dataset.summary}
            used = dataclasses.asdict(options)
            print(
                json.dumps({**about, "options": used, "tasks": of_tasks, "rows": found}, indent=2)
            )
        else:
            _tell(rows, asked, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
