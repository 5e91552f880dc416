"""Trains the network: arrays and a config in, parameters and a history out. Needs JAX only.

The steps of a whole epoch are one compiled program over data that stays on the devices. On a CPU,
or with more data than `TrainConfig.max_bytes`, a call covers some fifty steps, and its images are
prepared just before it. Each device takes an equal part of every batch.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import NamedSharding, PartitionSpec

from modules import features
from modules.models import cnn
from modules.training import augmentation
from modules.training.checkpoints import Checkpoints
from modules.training.config import TrainConfig
from modules.training.divergence import check_losses
from modules.training.feed import Feed, Images, Rows, split_rows

_STEPS_A_CALL = 50  # so that progress shows, or memory suffices; else it is a whole epoch
_AXIS = "batch"


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
    """The trained parameters, the metrics of every epoch and the rows held out."""

    params: cnn.Params
    history: list[EpochMetrics]
    validation_rows: np.ndarray  # int64[V], indices into the arrays given to `train`
    compile_seconds: float
    train_seconds: float  # without the compilation
    trained_images: int  # in these seconds


class _State(NamedTuple):
    """What a step takes from the one before."""

    step: jax.Array  # int32 scalar, counted over all epochs
    params: cnn.Params
    opt_state: optax.OptState


def steps_of_epoch(num_examples: int, config: TrainConfig) -> tuple[int, int]:
    """Returns (compiled calls, steps in each) for one epoch over that many examples.

    The few batches that do not fill a call are left out, different ones in each epoch.
    """
    steps = len(split_rows(num_examples, config)[0]) // config.batch_size
    if _on_cpu() and not cnn.LOOPS_FAST_ON_CPU:
        calls = steps
    elif _on_cpu() or _is_streamed(num_examples, config):
        calls = max(1, round(steps / _STEPS_A_CALL))
    else:
        calls = 1
    return calls, steps // calls


def _is_streamed(num_examples: int, config: TrainConfig) -> bool:
    # On a CPU the devices' memory is the host's, where the images are already.
    return _on_cpu() or num_examples * features.NUM_PIXELS * np.float32().nbytes > config.max_bytes


def train(
    images: Images,
    labels: np.ndarray,
    config: TrainConfig,
    on_steps: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[EpochMetrics], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainResult:
    """Trains the CNN from scratch; the same arguments give the same bits on the same machine.

    All devices of all processes take part, and every process must pass the same arguments.

    Args:
      images: normalised float32[N, 784], an array or `images.Images`.
      labels: int[N], 0 to num_classes - 1.
      config: how to train.
      on_steps: called from time to time with (epoch, steps of this epoch so far).
      on_epoch: called after each epoch, and at once for each epoch restored from a checkpoint.
      checkpoints: where epochs are saved, and restored from after an interruption.

    Raises:
      divergence.TrainingDivergedError: names the epoch and the step that went wrong.
      ValueError: there are too few examples, or the devices cannot share a batch equally.
    """
    train_rows, validation_rows = split_rows(len(images), config)
    calls, steps = steps_of_epoch(len(images), config)
    if config.batch_size % jax.device_count():
        raise ValueError(
            f"batch_size {config.batch_size} cannot be shared by {jax.device_count()} devices"
        )
    mesh = jax.make_mesh((jax.device_count(),), (_AXIS,))
    everywhere = NamedSharding(mesh, PartitionSpec())
    by_batch = NamedSharding(mesh, PartitionSpec(None, _AXIS))
    optimizer, schedule = _make_optimizer(config, config.epochs * calls * steps)
    params = cnn.init_params(jax.random.key(config.seed), config.num_classes)
    state = _State(jnp.int32(0), params, optimizer.init(params))
    history: list[EpochMetrics] = []
    if checkpoints and (saved := checkpoints.restore_latest(jax.device_get(state))):
        state, history = saved[0], [EpochMetrics(**metrics) for metrics in saved[1]]

    feed = Feed(images, labels, train_rows, _is_streamed(len(images), config), everywhere)
    state = jax.device_put(state, everywhere)
    started = time.monotonic()
    data, batches = feed(np.zeros((steps, config.batch_size), np.int32))
    batches = jax.device_put(batches, by_batch)
    train_steps = _make_train_steps(config, optimizer, mesh).lower(state, data, batches).compile()
    compile_seconds, started = time.monotonic() - started, time.monotonic()

    restored = len(history)
    for metrics in history if on_epoch else ():
        on_epoch(metrics)
    for epoch in range(restored + 1, config.epochs + 1):
        order = np.random.default_rng((config.seed, epoch)).permutation(len(train_rows))
        rows = order[: calls * steps * config.batch_size].astype(np.int32)
        losses = []
        for batches in rows.reshape(calls, steps, config.batch_size):
            data, batches = feed(batches)
            state, call_losses = train_steps(state, data, jax.device_put(batches, by_batch))
            losses.extend(np.asarray(call_losses))
            check_losses(losses, steps, epoch, calls * steps, config)
            if on_steps:
                on_steps(epoch, len(losses))
        saved = jax.device_get(state)
        metrics = EpochMetrics(
            epoch,
            float(np.mean(losses)),
            *evaluate(saved.params, Rows(images, validation_rows), labels[validation_rows]),
            float(schedule(saved.step - 1)),
        )
        history.append(metrics)
        if checkpoints:
            checkpoints.save(epoch, saved, history)
        if on_epoch:
            on_epoch(metrics)
    seconds = time.monotonic() - started
    trained = (config.epochs - restored) * calls * steps * config.batch_size
    params = jax.device_get(state.params)
    return TrainResult(params, history, validation_rows, compile_seconds, seconds, trained)


def _make_optimizer(
    config: TrainConfig, steps: int
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Returns SGD and its learning rate, for a training of that many steps."""
    schedule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=config.learning_rate,
        warmup_steps=round(config.warmup * steps),
        decay_steps=steps,
    )
    optimizer = optax.chain(
        optax.add_decayed_weights(
            config.weight_decay, lambda params: jax.tree.map(lambda x: x.ndim > 1, params)
        ),
        optax.sgd(schedule, config.momentum, nesterov=True),
    )
    return optimizer, schedule


def _make_train_steps(
    config: TrainConfig, optimizer: optax.GradientTransformation, mesh: jax.sharding.Mesh
) -> Callable:
    """Returns a jitted function of several steps, which gives its first argument's memory away.

    It maps (state, (images, labels), rows int32[steps, B]) to (state, losses float32[steps]).
    """

    def loss_fn(params: cnn.Params, images: jax.Array, labels: jax.Array) -> jax.Array:
        targets = optax.smooth_labels(
            jax.nn.one_hot(labels, config.num_classes), config.label_smoothing
        )
        logits = cnn.apply_flat(params, images, fast_on_cpu=_on_cpu())
        # The log-softmax of log-probabilities is they themselves. Taken twice, it rounds as it did
        # when the network ended in one: a seed gives the same parameters as ever, to the last bit.
        return optax.softmax_cross_entropy(jax.nn.log_softmax(logits), targets).mean()

    def step(state: _State, batch: tuple) -> tuple[_State, jax.Array]:
        images, labels = batch
        # Drawn for the whole batch: how many devices share it must not matter.
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)
        draws = jax.random.uniform(key, (config.batch_size, augmentation.DRAWS))
        own = jax.lax.axis_index(_AXIS) * len(images)
        draws = jax.lax.dynamic_slice_in_dim(draws, own, len(images))
        images = augmentation.augment(images, draws, config)
        loss, grads = jax.value_and_grad(loss_fn)(state.params, images, labels)
        loss += 0 * images.sum()  # a relu would hide a pixel that is NaN
        if mesh.size > 1:  # else XLA would copy them
            loss, grads = jax.lax.pmean((loss, grads), _AXIS)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return _State(state.step + 1, params, opt_state), loss

    def steps(state: _State, data: tuple, rows: jax.Array) -> tuple[_State, jax.Array]:
        return jax.lax.scan(
            lambda state, rows: step(state, jax.tree.map(lambda x: x[rows], data)), state, rows
        )

    replicated, by_batch = PartitionSpec(), PartitionSpec(None, _AXIS)
    sharded = jax.shard_map(
        steps,
        mesh=mesh,
        in_specs=(replicated, replicated, by_batch),
        out_specs=replicated,
        check_vma=False,
    )
    return jax.jit(sharded, donate_argnums=0)


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def evaluate(params: cnn.Params, images: Images, labels: np.ndarray) -> tuple[float, float]:
    """Returns (loss, accuracy) on normalised images float32[N, 784] and labels int[N]."""
    logits = predict(params, images)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return float(losses.mean()), float(np.mean(np.argmax(logits, axis=1) == labels))


def predict(params: cnn.Params, images: Images, batch_size: int = 512) -> np.ndarray:
    """Returns logits float32[N, classes] for normalised images float32[N, 784], in batches."""
    starts = range(0, len(images), batch_size)
    return np.concatenate(
        [np.asarray(_apply(params, images[start : start + batch_size])) for start in starts]
    )


_apply = jax.jit(cnn.apply_flat)
