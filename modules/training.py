"""Trains the network: arrays and a config in, parameters and a history out. Needs JAX only."""

import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from modules import model
from modules.train_config import TrainConfig

_STEPS_BETWEEN_CHECKS = 50  # how often the loop waits for the device to look at the loss


class TrainingDivergedError(RuntimeError):
    """The loss became NaN or infinite, or larger than guessing would give."""


@dataclasses.dataclass(frozen=True)
class EpochMetrics:
    """What one epoch came to; losses are mean cross-entropies in nats."""

    epoch: int  # counted from 1
    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclasses.dataclass(frozen=True)
class TrainResult:
    """The trained parameters, the metrics of every epoch and the rows held out."""

    params: model.Params
    history: list[EpochMetrics]
    validation_rows: np.ndarray  # int64[V], indices into the arrays given to `train`


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns the mean of -log p(label) as a float32 scalar.

    Args:
      logits: log-softmax float32[B, classes].
      labels: int32[B].
    """
    return -jnp.mean(jnp.take_along_axis(logits, labels[:, None], axis=1))


def split_rows(num_examples: int, config: TrainConfig) -> tuple[np.ndarray, np.ndarray]:
    """Splits range(num_examples) at random into (train rows, validation rows), by the seed.

    Raises:
      ValueError: when one batch of training rows does not remain.
    """
    held_out = max(1, round(num_examples * config.validation_share))
    rows = np.random.default_rng(config.seed).permutation(num_examples)
    if num_examples - held_out < config.batch_size:
        raise ValueError(
            f"{num_examples} training examples are too few: {held_out} are held out for "
            f"validation and a batch takes {config.batch_size}"
        )
    return rows[held_out:], rows[:held_out]


def train(
    images: np.ndarray,
    labels: np.ndarray,
    config: TrainConfig,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochMetrics], None] | None = None,
) -> TrainResult:
    """Trains the CNN from scratch; the same arguments give the same bits on the same machine.

    Args:
      images: normalised float32[N, 784].
      labels: int[N], 0 to num_classes - 1.
      config: how to train.
      on_step: called now and then with (epoch, steps of this epoch that are done).
      on_epoch: called after each epoch.

    Raises:
      TrainingDivergedError: names the epoch and the step at which the loss was no longer sane.
      ValueError: too few examples.
    """
    train_rows, validation_rows = split_rows(len(images), config)
    steps = len(train_rows) // config.batch_size
    optimizer = optax.sgd(
        optax.cosine_decay_schedule(config.learning_rate, config.epochs * steps), config.momentum
    )
    labels = np.asarray(labels, np.int32)

    def loss_fn(params: model.Params, pixels: jax.Array, targets: jax.Array) -> jax.Array:
        return cross_entropy(model.apply_flat(params, pixels), targets)

    @jax.jit
    def train_step(params, opt_state, pixels, targets):
        loss, grads = jax.value_and_grad(loss_fn)(params, pixels, targets)
        # A relu hides a NaN pixel from the loss, but not from the gradient.
        loss = jnp.where(jnp.isfinite(optax.tree.norm(grads)), loss, jnp.nan)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state, loss

    params = model.init_params(jax.random.key(config.seed), config.num_classes)
    opt_state = optimizer.init(params)
    history = []
    for epoch in range(1, config.epochs + 1):
        order = np.random.default_rng((config.seed, epoch)).permutation(train_rows)
        losses = []
        for step in range(steps):
            batch = order[step * config.batch_size : (step + 1) * config.batch_size]
            params, opt_state, loss = train_step(params, opt_state, images[batch], labels[batch])
            losses.append(loss)
            if (step + 1) % _STEPS_BETWEEN_CHECKS == 0 or step + 1 == steps:
                _check_losses(losses, epoch, steps, config)
                if on_step:
                    on_step(epoch, step + 1)
        metrics = EpochMetrics(
            epoch,
            float(np.mean(jax.device_get(losses))),
            *evaluate(params, images[validation_rows], labels[validation_rows]),
        )
        history.append(metrics)
        if on_epoch:
            on_epoch(metrics)
    return TrainResult(jax.device_get(params), history, validation_rows)


def evaluate(params: model.Params, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Returns (loss, accuracy) on normalised images float32[N, 784] and labels int[N]."""
    logits = predict(params, images)
    loss = float(cross_entropy(logits, jnp.asarray(labels, jnp.int32)))
    return loss, float(np.mean(np.argmax(logits, axis=1) == labels))


def predict(params: model.Params, images: np.ndarray, batch_size: int = 512) -> np.ndarray:
    """Returns logits float32[N, classes] for normalised images float32[N, 784], in batches."""
    starts = range(0, len(images), batch_size)
    return np.concatenate(
        [np.asarray(_apply(params, images[start : start + batch_size])) for start in starts]
    )


_apply = jax.jit(model.apply_flat)


def _check_losses(losses: list[jax.Array], epoch: int, steps: int, config: TrainConfig) -> None:
    """Raises TrainingDivergedError when a loss of the epoch so far is not one of a training."""
    recent = np.asarray(jax.device_get(losses[-_STEPS_BETWEEN_CHECKS:]))
    first = len(losses) - len(recent)
    # A network that only guesses has a loss of log(classes); ten times that is no training.
    limit = 10 * math.log(max(2, config.num_classes))
    bad = np.flatnonzero(~(recent < limit))
    if bad.size:
        raise TrainingDivergedError(
            f"training diverged: the loss was {recent[bad[0]]:g} in epoch {epoch}, step "
            f"{first + bad[0] + 1} of {steps} (a sane one is below {limit:.1f}); lower "
            f"learning_rate (now {config.learning_rate:g}) or look for bad values in the data"
        )
