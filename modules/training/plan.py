"""What a training will do with its examples, before the first step."""

import dataclasses

import jax
import numpy as np

from modules.models.network import Network
from modules.training.config import TrainConfig

_STEPS_A_CALL = 50  # so that progress shows, or memory suffices; else it is a whole epoch


@dataclasses.dataclass(frozen=True)
class Plan:
    """How the examples are shared out.

    Attributes:
      config: with a batch that the training part can fill.
      train_rows: int64[T], what is trained on, of the examples.
      validation_rows: int64[V], what is held out.
      calls: of the compiled steps in an epoch.
      steps: in each call. The few batches that do not fill a call are left out, different ones in
        each epoch.
      streamed: whether a call gets its own images only, instead of all of them.
      notes: sentences about what is not as the config has it.
    """

    config: TrainConfig
    train_rows: np.ndarray
    validation_rows: np.ndarray
    calls: int
    steps: int
    streamed: bool
    notes: tuple[str, ...] = ()

    @property
    def steps_of_epoch(self) -> int:
        """How many batches of an epoch are trained on."""
        return self.calls * self.steps


def make_plan(network: Network, labels: np.ndarray, config: TrainConfig) -> Plan:
    """Plans a training.

    Args:
      network: to be trained.
      labels: int[N], of all examples.
      config: how to train.

    Raises:
      ValueError: there are too few examples, or the devices cannot share a batch equally.
    """
    train_rows, validation_rows = split_rows(labels, config)
    devices, notes = jax.device_count(), []
    if config.batch_size % devices:
        raise ValueError(f"batch_size {config.batch_size} cannot be shared by {devices} devices")
    if len(train_rows) < config.batch_size:
        batch_size = len(train_rows) // devices * devices
        if not batch_size:
            raise ValueError(
                f"{len(train_rows)} training examples cannot be shared by {devices} devices"
            )
        notes.append(f"a batch takes {batch_size} images, not {config.batch_size}: there are few")
        config = dataclasses.replace(config, batch_size=batch_size)
    steps = len(train_rows) // config.batch_size
    # On a CPU the devices' memory is the host's, where the images are already.
    on_cpu = jax.default_backend() == "cpu"
    size = len(labels) * network.task.num_pixels * np.float32().nbytes
    streamed = on_cpu or size > config.max_bytes
    calls = max(1, round(steps / _STEPS_A_CALL)) if streamed else 1
    return Plan(config, train_rows, validation_rows, calls, steps // calls, streamed, tuple(notes))


def split_rows(labels: np.ndarray, config: TrainConfig) -> tuple[np.ndarray, np.ndarray]:
    """Splits the examples at random into (train rows, validation rows), by the seed.

    Where chance would leave a class out of either part, each class is split on its own instead; a
    class with a single example is trained on.

    Args:
      labels: int[N].
      config: has the share and the seed.

    Raises:
      ValueError: there are fewer than two examples.
    """
    count = len(labels)
    if count < 2:
        raise ValueError(f"{count} training examples are too few: one is held out for validation")
    order = np.random.default_rng(config.seed).permutation(count)
    held_out = min(max(1, round(count * config.validation_share)), count - 1)
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    parts = order[held_out:], order[:held_out]
    shared = np.flatnonzero(counts > 1)
    if not len(shared) or all(np.isin(shared, classes[part]).all() for part in parts):
        return parts
    wanted = np.clip(np.round(counts * config.validation_share), 1, counts - 1).astype(int)
    by_class = np.argsort(classes[order], kind="stable")
    places = np.empty(count, int)  # of each example of the order among those of its class
    places[by_class] = np.arange(count) - np.repeat(np.cumsum(counts) - counts, counts)
    held = places < wanted[classes[order]]
    return order[~held], order[held]
