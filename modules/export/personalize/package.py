"""The package of a personal model: what a client needs, in one folder."""

import dataclasses
import hashlib
from pathlib import Path

import jax
import numpy as np

from data.errors import ConfigError
from data.task import Task
from modules.export.personalize import bases, build
from modules.export.personalize.bases import Base
from modules.inference.personal import manifest, replay
from modules.inference.personal.manifest import MODEL_FILE, SCHEMA_VERSION, Manifest
from modules.inference.personal.reservoir import Samples
from modules.jaxprs.gradients import trainable
from modules.personal import fitting, optimizers
from modules.personal.heads import no_penalty
from modules.personal.loading import load_head
from modules.personal.training_step import TrainingStep

_REPLAY_OF_A_CLASS = 10
# Where the optimizer's own is not best: with it, a softmax head learns new classes too slowly, and
# an MLP forgets too much for a few samples. Measured on simulated people, see
# benchmarks/personalization.py.
_RATES = {("softmax", "sgd"): 0.1, ("softmax", "adam"): 0.004, ("mlp", "momentum"): 0.003}
_SLOWER = 0.1  # of the learning rate of a head: what layers of the network itself are trained by


@dataclasses.dataclass(frozen=True)
class Options:
    """What to make.

    Attributes:
      trains: the head, "softmax", "mlp" or the path of a Python file; or "last:N" or "all" for the
        layers of the network itself.
      optimizer: of `optimizers.OPTIMIZERS`.
      learning_rate: None for the optimizer's own.
      batch_size: images of a training step.
      spare_classes: outputs beside those of the task, for new classes.
      seed: of fresh parameters.
    """

    trains: str = "softmax"
    optimizer: str = "sgd"
    learning_rate: float | None = None
    batch_size: int = 20
    spare_classes: int = 0
    seed: int = 0

    @property
    def trains_layers(self) -> bool:
        """Whether layers of the network itself are trained, and no new head."""
        number = self.trains.removeprefix(bases.LAST)
        return self.trains == bases.ALL or (number != self.trains and number.isdecimal())

    @property
    def rate(self) -> float:
        """The learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        rate = optimizers.LEARNING_RATES.get(self.optimizer, 0.0)
        if self.trains_layers:
            return rate * _SLOWER
        return _RATES.get((self.trains, self.optimizer), rate)


def write(
    folder: Path,
    base: Base,
    task: Task,
    model: str,
    options: Options,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
) -> build.Built:
    """Writes a package, and checks what is in it.

    Args:
      folder: that is there, and empty.
      base: that the head gets its features from.
      task: what the images and labels are.
      model: the name of the network, for people.
      options: what to make.
      labelled: features float32[N, size] and labels int64[N] of training images: a head that knows
        nothing yet is trained on them, and a few of them are the replay.

    Raises:
      ConfigError: an option is wrong.
      ConversionError: TFLite cannot express it, or a check failed.
    """
    step = training_step_of(base, task, options, labelled)
    built = build.build(base.path, base.output, step, options.batch_size)
    (folder / MODEL_FILE).write_bytes(built.content)
    replayed = None
    if labelled:
        rows = _balanced(labelled[1], task.num_classes)
        samples = Samples(labelled[0][rows], labelled[1][rows].astype(np.int32))
        replayed = replay.write(samples, folder)
    manifest.write(
        Manifest(
            schema_version=SCHEMA_VERSION,
            model=model,
            task=task,
            label_names=task.label_names,
            num_classes=step.num_classes,
            batch_size=options.batch_size,
            features=base.size,
            head=Path(options.trains).name,
            optimizer=options.optimizer,
            learning_rate=options.rate,
            file=MODEL_FILE,
            bytes=len(built.content),
            sha256=hashlib.sha256(built.content).hexdigest(),
            replay=replayed,
        ),
        folder,
    )
    return built


def training_step_of(
    base: Base,
    task: Task,
    options: Options,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
) -> TrainingStep:
    """Returns what is trained on the device, with the parameters that it starts with.

    See `write` for the arguments and what is raised.
    """
    classes = task.num_classes + options.spare_classes
    optimizer = optimizers.make_optimizer(options.optimizer, options.rate)
    if options.trains_layers:
        if options.spare_classes:
            raise ConfigError(
                f"{options.trains}: the network's own last layer has no outputs for new classes; "
                "train a head, such as softmax, for these"
            )
        apply = trainable(base.rest)
        return TrainingStep(apply, no_penalty, optimizer, list(base.params), base.size, classes)
    head = load_head(options.trains, base.size, classes)

    def apply_head(params: dict, features: jax.Array) -> jax.Array:
        return head.apply(params, features, classes)

    params = jax.device_get(head.init(jax.random.key(options.seed), base.size, classes))
    if options.trains == "softmax" and base.rest:
        last = lambda features: base.rest(list(base.params), features)  # noqa: E731
        params = fitting.as_softmax(last, base.size, options.spare_classes)
    elif labelled:
        params = fitting.fitted(apply_head, params, *labelled, classes, head.penalty, options.seed)
    return TrainingStep(apply_head, head.penalty, optimizer, params, base.size, classes)


def _balanced(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns the rows of the first few images of each class."""
    rows = [np.flatnonzero(labels == label)[:_REPLAY_OF_A_CLASS] for label in range(num_classes)]
    return np.concatenate(rows)
