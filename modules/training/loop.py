"""Trains a network: arrays and a config in, variables and a history out. Needs JAX only.

The steps of a whole epoch are one compiled program over data that stays on the devices. On a CPU,
or with more data than `TrainConfig.max_bytes`, a call covers some fifty steps, and its images are
prepared just before it. Each device takes an equal part of every batch.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import NamedSharding, PartitionSpec

from modules.models.network import Network
from modules.models.protocol import Logits, Variables
from modules.training import pace
from modules.training.config import TrainConfig
from modules.training.divergence import Watch
from modules.training.feed import Feed, Images, Rows
from modules.training.plan import make_plan
from modules.training.saved.checkpoints import Checkpoints
from modules.training.steps import (
    AXIS,
    Parts,
    State,
    class_weights,
    make_optimizer,
    make_train_steps,
)

_TELLING = 10  # images held out, with fewer of which nothing is said of what was learnt


@dataclasses.dataclass(frozen=True)
class EpochMetrics:
    """What one epoch came to; losses are mean cross-entropies in nats."""

    epoch: int  # counted from 1
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float  # of the last step


@dataclasses.dataclass(frozen=True)
class TrainResult:
    """The trained variables, the metrics of every epoch and the rows held out."""

    variables: Variables
    history: list[EpochMetrics]
    validation_rows: np.ndarray  # int64[V], indices into the arrays given to `train`
    compile_seconds: float  # with the choice between a loop and single steps
    train_seconds: float  # without the compilation
    trained_images: int  # in these seconds
    epoch: int  # that the variables are of
    notes: tuple[str, ...]  # sentences about what a user should know


class Saved(NamedTuple):
    """What a checkpoint holds."""

    state: State
    best: Variables | None  # of the best epoch, where the training may stop early


def train(
    network: Network,
    images: Images,
    labels: np.ndarray,
    config: TrainConfig,
    on_steps: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochMetrics], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainResult:
    """Trains from scratch; the same arguments give the same bits on the same machine.

    All devices of all processes take part, and every process must pass the same arguments.

    Args:
      network: what to train, and for which images.
      images: normalised float32[N, num_pixels], an array or `images.Images`.
      labels: int[N], 0 to num_classes - 1.
      config: how to train.
      on_steps: called from time to time with (epoch, steps of this epoch so far).
      on_epoch: called after each epoch, and at once for each epoch restored from a checkpoint.
      checkpoints: where epochs are saved, and restored from after an interruption.

    Raises:
      divergence.TrainingDivergedError: says what went wrong, and when.
      ValueError: there are too few examples, or the devices cannot share a batch equally.
    """
    plan = make_plan(network, labels, config)
    config, steps = plan.config, plan.steps
    mesh = jax.make_mesh((jax.device_count(),), (AXIS,))
    everywhere = NamedSharding(mesh, PartitionSpec())
    by_batch = NamedSharding(mesh, PartitionSpec(None, AXIS))
    optimizer, schedule = make_optimizer(plan)
    variables = network.init(config.seed)
    parts = Parts.of(network, variables)
    state = State(jnp.int32(0), variables, optimizer.init(parts.params(variables)))
    best = jax.device_get(variables) if config.early_stop else None
    history: list[EpochMetrics] = []
    if checkpoints and (found := checkpoints.restore_latest(Saved(jax.device_get(state), best))):
        (state, best), history = found[0], [EpochMetrics(**metrics) for metrics in found[1]]

    feed = Feed(images, labels, plan.train_rows, plan.streamed, everywhere)
    state = jax.device_put(state, everywhere)
    weights = None
    if config.class_weights:
        weights = class_weights(labels[plan.train_rows], network.task.num_classes)
    started = time.monotonic()
    runs = pace.choose(
        network,
        make_train_steps(network, config, optimizer, parts, mesh, weights),
        state,
        *feed(np.zeros((steps, config.batch_size), np.int32)),
        put=lambda rows: jax.device_put(rows, by_batch),
    )
    compile_seconds, started = time.monotonic() - started, time.monotonic()

    restored = len(history)
    watch = Watch(config, network.task.num_classes, plan.steps_of_epoch)
    for metrics in history if on_epoch else ():
        on_epoch(metrics)
    for epoch in range(restored + 1, config.epochs + 1):
        if _stops(history, config):
            break
        order = np.random.default_rng((config.seed, epoch)).permutation(len(plan.train_rows))
        rows = order[: plan.steps_of_epoch * config.batch_size].astype(np.int32)
        losses: list[float] = []
        for batches in rows.reshape(plan.calls, steps, config.batch_size):
            data, batches = feed(batches)
            done = 0
            for run in runs:
                some = jax.device_put(batches[done : done + run.steps], by_batch)
                state, new = run.train_steps(state, data, some)
                watch.losses(np.asarray(new), epoch, len(losses))
                losses.extend(np.asarray(new))
                done += run.steps
                if on_steps:
                    on_steps(epoch, len(losses))
        kept = jax.device_get(state)
        held_out = Rows(images, plan.validation_rows), labels[plan.validation_rows]
        metrics = EpochMetrics(
            epoch,
            float(np.mean(losses)),
            *evaluate(network, kept.variables, *held_out),
            float(schedule(kept.step - 1)),
        )
        watch.variables(kept.variables, epoch, metrics.validation_loss)
        history.append(metrics)
        if config.early_stop and _best(history) == epoch:
            best = kept.variables
        if checkpoints:
            checkpoints.save(epoch, Saved(kept, best), history)
        if on_epoch:
            on_epoch(metrics)
    watch.end()
    seconds = time.monotonic() - started
    trained = (len(history) - restored) * plan.steps_of_epoch * config.batch_size
    epoch = _best(history) if config.early_stop else len(history)
    notes = (*plan.notes, *_notes(history, epoch, config, labels[plan.validation_rows]))
    return TrainResult(
        best if config.early_stop else jax.device_get(state.variables),
        history,
        plan.validation_rows,
        compile_seconds,
        seconds,
        trained,
        epoch,
        notes,
    )


def _best(history: Sequence[EpochMetrics]) -> int:
    """Returns the first epoch with the lowest validation loss, 0 before the first."""
    return min(history, key=lambda metrics: metrics.validation_loss).epoch if history else 0


def _stops(history: Sequence[EpochMetrics], config: TrainConfig) -> bool:
    return bool(config.early_stop) and len(history) - _best(history) >= config.early_stop


def _notes(
    history: Sequence[EpochMetrics], epoch: int, config: TrainConfig, labels: np.ndarray
) -> list[str]:
    """Returns what to say of a training whose variables are those of an epoch."""
    notes = []
    if len(history) < config.epochs:
        notes.append(
            f"stopped after epoch {len(history)} of {config.epochs}, since none was better than "
            f"epoch {epoch}, which is kept"
        )
    _, counts = np.unique(labels, return_counts=True)
    accuracy, guessing = history[epoch - 1].validation_accuracy, counts.max() / len(labels)
    if len(labels) >= _TELLING and accuracy <= guessing < 1:
        notes.append(
            f"the network learnt nothing: {accuracy:.2%} of the images held out are right, and "
            f"always naming the most frequent class is right for {guessing:.2%}"
        )
    return notes


def evaluate(
    network: Network, variables: Variables, images: Images, labels: np.ndarray
) -> tuple[float, float]:
    """Returns (loss, accuracy) on normalised images float32[N, num_pixels] and labels int[N]."""
    logits = predict(network, variables, images)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return float(losses.mean()), float(np.mean(np.argmax(logits, axis=1) == labels))


def predict(
    network: Network, variables: Variables, images: Images, batch_size: int = 512
) -> np.ndarray:
    """Returns logits float32[N, classes] for normalised images float32[N, num_pixels]."""
    starts = range(0, len(images), batch_size)
    return np.concatenate(
        [
            np.asarray(_logits(network, variables, images[start : start + batch_size]))
            for start in starts
        ]
    )


@partial(jax.jit, static_argnums=0)
def _logits(network: Network, variables: Variables, pixels: jax.Array) -> Logits:
    return network.logits(variables, pixels)
