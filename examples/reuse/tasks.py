"""New tasks for a trained network: what is asked of which images, and the few that are labelled."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from data.dataset import Dataset, as_features
from data.errors import ConfigError
from data.splits import Split

# Images uint8[N, H, W, C] and labels int64[N].
Examples = tuple[np.ndarray, np.ndarray]
_Ask = Callable[[np.ndarray, np.ndarray, np.random.Generator], Examples]
_DIGITS = tuple("0123456789")
_LOOPS = (0, 6, 8, 9)
_OPEN = (1, 2, 3, 5, 7)  # 4 is in neither: it is written both ways
_MOST_HELD_OUT = 2_000  # images for validation
_SHARE_HELD_OUT = 0.2


@dataclasses.dataclass(frozen=True)
class NewTask:
    """What is to be told of an image.

    Attributes:
      name: for tables.
      num_classes: how many answers there are.
      ask: makes the task's examples of a data set's.
      note: what a reader of the figures should know.
    """

    name: str
    num_classes: int
    ask: _Ask
    note: str


@dataclasses.dataclass(frozen=True)
class Pool:
    """The examples of a new task: images float32[N, H*W*C] in [0, 1], labels int64[N].

    Attributes:
      task: what they are of.
      train: out of the training split; labelled images are drawn from these.
      validation: the others of that split.
      test: of the official test split.
    """

    task: NewTask
    train: Examples
    validation: Examples
    test: Examples

    def draw(self, count: int, seed: int) -> Examples:
        """Returns so many training images, as many of each class as can be.

        Raises:
          ConfigError: there are fewer.
        """
        images, labels = self.train
        if count > len(labels):
            raise ConfigError(
                f"--images {count}: only {len(labels):,} training images are there for the task "
                f"{self.task.name!r}; give smaller numbers"
            )
        rows = draw_rows(labels, count, np.random.default_rng(seed))
        return images[rows], labels[rows]


def draw_rows(labels: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Returns int64[count] places in labels int64[N], drawn from all classes in turn."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    place_in_class = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chance = generator.random(len(labels))  # which classes get one more, where some must
    return order[np.lexsort((chance, place_in_class))[:count]]


def tasks_of(dataset: Dataset) -> list[NewTask]:
    """Returns what can be asked of digits besides which they are; of other images, their class."""
    if dataset.task.label_names != _DIGITS:
        return [classes_of(dataset, dataset.task.label_names)]
    known = "the digit gives the answer away, and a base trained on all digits knows the digit"
    loop = _only((*_OPEN, *_LOOPS), [int(digit in _LOOPS) for digit in (*_OPEN, *_LOOPS)])
    tasks = [
        NewTask("even or odd", 2, _only(range(10), [digit % 2 for digit in range(10)]), known),
        NewTask("has a loop (0 6 8 9) or not", 2, loop, f"{known}; 4 is left out"),
    ]
    height, width, _ = dataset.task.image_shape
    if height == width:
        note = "no label gives it away; 0, 1, 8, and 6 with 9, look alike upside down"
        tasks.append(NewTask("which way up, of four", 4, _turned, note))
    return tasks


def classes_of(dataset: Dataset, names: Sequence[str]) -> NewTask:
    """Returns the task to tell some classes of a data set apart, given by their names.

    Raises:
      ConfigError: there is no such class, or fewer than two.
    """
    known = dataset.task.label_names
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(
            f"--classes: {dataset.name} has no class {unknown[0]!r}; expected some of "
            f"{', '.join(known)}"
        )
    values = sorted({known.index(name) for name in names})
    if len(values) < 2:
        raise ConfigError(f"--classes: expected at least two of {', '.join(known)}")
    shown = f"{len(values)} classes" if len(values) > 10 else " ".join(known[v] for v in values)
    note = "new as long as the base was not trained on these classes"
    name = f"{dataset.name}: {shown}"
    return NewTask(name, len(values), _only(values, range(len(values))), note)


def make_pool(dataset: Dataset, task: NewTask, most_tested: int) -> Pool:
    """Reads a data set and asks the new task of it, always in the same way.

    Args:
      dataset: whose splits are kept apart.
      task: to ask.
      most_tested: so many images of the test split, drawn at random, if there are more.
    """
    generator = np.random.default_rng(0)
    images, labels = task.ask(*_read(dataset, Split.TRAIN), generator)
    order = generator.permutation(len(labels))
    held_out = min(_MOST_HELD_OUT, int(len(labels) * _SHARE_HELD_OUT))
    tested, answers = task.ask(*_read(dataset, Split.EVAL), generator)
    rows = generator.permutation(len(answers))[:most_tested]

    def chosen(rows: np.ndarray) -> Examples:
        return as_features(images[rows]), labels[rows]

    test = as_features(tested[rows]), answers[rows]
    return Pool(task, chosen(order[held_out:]), chosen(order[:held_out]), test)


def _read(dataset: Dataset, split: Split) -> Examples:
    reader = dataset.open()[split]
    return reader.read(0, len(reader))


def _only(values: Sequence[int], answers: Sequence[int]) -> _Ask:
    """Keeps the images with these labels, which get these answers instead."""

    def ask(images: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Examples:
        kept = np.isin(labels, list(values))
        answer_of = dict(zip(values, answers, strict=True))
        return images[kept], np.array([answer_of[label] for label in labels[kept]], np.int64)

    return ask


def _turned(images: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Examples:
    """Turns each image by quarters, as many as chance says; they are its label."""
    quarters = generator.integers(4, size=len(images))
    turned = images.copy()
    for count in (1, 2, 3):
        turned[quarters == count] = np.rot90(images[quarters == count], count, axes=(1, 2))
    return turned, quarters
