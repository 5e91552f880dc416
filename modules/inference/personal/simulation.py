"""What simulated people gain from a model that learns from them, and what it forgets."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from modules.inference.personal import people
from modules.inference.personal.client import PersonalModel
from modules.inference.personal.people import Person

SAMPLES = (5, 20, 50, 100)
EPOCHS = 10
NEW_SAMPLES, _NEW_TESTED = 20, 100  # of each new symbol
# Classes that look like none of the digits when they are turned by 90 degrees.
_TURNED = (2, 3, 4, 5, 7)

# Maps images float32[N, H, W, C] in [0, 1] to the numbers of their classes, int64[N].
Predict = Callable[[np.ndarray], np.ndarray]
# Learns from a person's images and the numbers of their classes, of which there may be none; those
# beyond the classes that were known are new ones, in their order.
Learn = Callable[[np.ndarray, np.ndarray], Predict]


@dataclasses.dataclass(frozen=True)
class Images:
    """Images that no model was trained on.

    Attributes:
      pool, pool_labels: that people write their samples from; uint8 or floats [N, H, W, C], int[N].
      held_out, held_out_labels: others that they are tested on, as they write them; and that
        forgetting is measured on, as they are.
      num_classes: of the labels.
    """

    pool: np.ndarray
    pool_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray
    num_classes: int

    @classmethod
    def split(cls, images: np.ndarray, labels: np.ndarray, num_classes: int) -> "Images":
        """Returns the first third as the pool, and the rest as held out."""
        first = len(images) // 3
        return cls(images[:first], labels[:first], images[first:], labels[first:], num_classes)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one person. Accuracies are shares.

    Attributes:
      person: who it is.
      before: accuracy on held-out images as this person writes them.
      after: the same by the number of samples that were learnt.
      plain: accuracy on held-out images as they are, by the number of samples.
    """

    person: Person
    before: float
    after: dict[int, float]
    plain: dict[int, float]


@dataclasses.dataclass(frozen=True)
class NewSymbols:
    """What came of a person's two new symbols, without any samples of the known classes.

    Attributes:
      turned: the classes whose images, turned by 90 degrees, are the symbols.
      accuracy: on held-out symbols as this person writes them.
      plain: on plain held-out images of the known classes, after it.
    """

    turned: tuple[int, int]
    accuracy: float
    plain: float


@dataclasses.dataclass(frozen=True)
class Simulated:
    """What came of all people.

    Attributes:
      plain_before: accuracy on plain held-out images.
      outcomes: one of each person.
      symbols: of each person; none where the model has no outputs for them.
    """

    plain_before: float
    outcomes: tuple[Outcome, ...]
    symbols: tuple[NewSymbols, ...]

    def gains(self, samples: int, below: float = 2.0) -> np.ndarray:
        """Returns what each of those who started below an accuracy gained, float64[N]."""
        chosen = [each for each in self.outcomes if each.before < below]
        return np.array([each.after[samples] - each.before for each in chosen])

    def forgotten(self, samples: int) -> np.ndarray:
        """Returns what each person's model lost on plain images, float64[people]."""
        return np.array([self.plain_before - each.plain[samples] for each in self.outcomes])


def simulate(
    learn: Learn,
    images: Images,
    seeds: Sequence[int],
    *,
    samples: Sequence[int] = SAMPLES,
    held_out: int = 500,
    plain: int = 500,
    new_symbols: bool = False,
) -> Simulated:
    """Has people teach a model, each from the start for each number of samples.

    Everybody gets the same images with the same seeds, whatever learns.

    Args:
      learn: what they teach.
      images: that they write.
      seeds: of the people; one each.
      samples: of all classes together, as many of each as of the others, or one more.
      held_out: images that each is tested on.
      plain: images that forgetting is measured on.
      new_symbols: whether they teach two new classes, too.

    Returns:
      Of each person the accuracies before and after.
    """
    untaught = learn(images.pool[:0], images.pool_labels[:0])
    plain_images = _floats(images.held_out[:plain])
    plain_labels = images.held_out_labels[:plain]
    outcomes, symbols = [], []
    for seed in seeds:
        person, random = people.draw(seed), np.random.default_rng([seed, 1985])
        # As many whatever is asked for, so that what is drawn after them is the same, too.
        most = max(*SAMPLES, *samples)
        order = _balanced(images.pool_labels, most, images.num_classes, random)
        given, given_labels = person.writes(images.pool[order]), images.pool_labels[order]
        rows = random.choice(len(images.held_out), held_out, replace=False)
        tested, expected = person.writes(images.held_out[rows]), images.held_out_labels[rows]
        after, kept = {}, {}
        for count in samples:
            predict = learn(given[:count], given_labels[:count])
            after[count] = _accuracy(predict, tested, expected)
            kept[count] = _accuracy(predict, plain_images, plain_labels)
        outcomes.append(Outcome(person, _accuracy(untaught, tested, expected), after, kept))
        if new_symbols:
            turned = tuple(int(label) for label in random.choice(_TURNED, 2, replace=False))
            known = images.num_classes, turned
            given = _symbols(person, images.pool, images.pool_labels, *known, NEW_SAMPLES)
            predict = learn(*given)
            new = _symbols(person, images.held_out, images.held_out_labels, *known, _NEW_TESTED)
            still = _accuracy(predict, plain_images, plain_labels)
            symbols.append(NewSymbols(turned, _accuracy(predict, *new), still))
    before = _accuracy(untaught, plain_images, plain_labels)
    return Simulated(before, tuple(outcomes), tuple(symbols))


def personal_model(folder: Path, epochs: int = EPOCHS, replay_share: float = 0.5) -> Learn:
    """Returns a package as what learns.

    Args:
      folder: of the package.
      epochs: of a training.
      replay_share: as `PersonalModel` takes it.
    """

    def learn(images: np.ndarray, labels: np.ndarray) -> Predict:
        model = PersonalModel(folder, replay_share=replay_share)
        known = model.class_names
        for image, label in zip(images, labels, strict=True):
            new = f"new {label - len(known)}"
            model.add(image, known[label] if label < len(known) else new)
        if len(images):
            model.train(epochs)

        def predict(tested: np.ndarray) -> np.ndarray:
            said = [list(model.infer(image).values()) for image in tested]
            return np.argmax(said, axis=1)

        return predict

    return learn


def _balanced(
    labels: np.ndarray, count: int, num_classes: int, random: np.random.Generator
) -> np.ndarray:
    """Returns `count` places in `labels`; of any first few, each class has as many, or one more.

    Where a class has too few, they come again.
    """
    places = [random.permutation(np.flatnonzero(labels == each)) for each in range(num_classes)]
    rounds = [random.permutation(num_classes) for _ in range(-(-count // num_classes))]
    drawn = [
        places[label][turn % len(places[label])]
        for turn, order in enumerate(rounds)
        for label in order
    ]
    return np.array(drawn[:count])


def _symbols(
    person: Person,
    images: np.ndarray,
    labels: np.ndarray,
    known: int,
    turned: Sequence[int],
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns `count` of each symbol as a person writes them, and the numbers of their classes.

    Args:
      person: who writes.
      images: to take the turned classes from, the first of each.
      labels: of the images.
      known: how many classes there are without the symbols.
      turned: classes.
      count: of each.
    """
    rows = [np.flatnonzero(labels == each)[:count] for each in turned]
    written = person.writes(np.rot90(images[np.concatenate(rows)], axes=(1, 2)))
    return written, np.repeat(known + np.arange(len(turned)), [len(each) for each in rows])


def _accuracy(predict: Predict, images: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(predict(images) == labels))


def _floats(images: np.ndarray) -> np.ndarray:
    scale = 255 if images.dtype == np.uint8 else 1
    return images.astype(np.float32) / np.float32(scale)
