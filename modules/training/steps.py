"""The compiled steps of a training: what one step does, and many in a loop."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import PartitionSpec

from modules.models.network import Network
from modules.models.protocol import Variables
from modules.training import augmentation
from modules.training.config import TrainConfig
from modules.training.convolutions import with_fast_depthwise
from modules.training.plan import Plan

AXIS = "batch"  # of the devices
_FEW_STEPS = 20  # of an epoch, and of a warm-up that keeps a training from leaping off


class State(NamedTuple):
    """What a step takes from the one before."""

    step: jax.Array  # int32 scalar, counted over all epochs
    variables: Variables
    opt_state: optax.OptState


class Parts(NamedTuple):
    """Takes a model's variables apart, into what gradients change and what they do not."""

    trainable: Sequence[bool]  # of each leaf
    structure: Any

    @classmethod
    def of(cls, network: Network, variables: Variables) -> "Parts":
        """Asks the network which leaves are trainable."""
        return cls(
            tuple(map(bool, jax.tree.leaves(network.trainable(variables)))),
            jax.tree.structure(variables),
        )

    def params(self, variables: Variables) -> list[jax.Array]:
        """Returns the trainable leaves."""
        return [x for x, own in zip(jax.tree.leaves(variables), self.trainable, strict=True) if own]

    def joined(self, params: Sequence[jax.Array], variables: Variables) -> Variables:
        """Returns the variables with these for their trainable leaves."""
        leaves, params = jax.tree.leaves(variables), iter(params)
        both = zip(leaves, self.trainable, strict=True)
        leaves = [next(params) if own else leaf for leaf, own in both]
        return jax.tree.unflatten(self.structure, leaves)


def warmup_steps(config: TrainConfig, steps_of_epoch: int) -> int:
    """Returns over how many steps the learning rate rises.

    Where an epoch has few steps, a share of all would be too short a way to the highest rate.
    """
    steps = config.epochs * steps_of_epoch
    warmup = round(config.warmup * steps)
    return max(warmup, min(_FEW_STEPS, steps // 2)) if steps_of_epoch < _FEW_STEPS else warmup


def make_optimizer(plan: Plan) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Returns SGD, for the trainable leaves, and its learning rate."""
    config = plan.config
    schedule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=config.learning_rate,
        warmup_steps=warmup_steps(config, plan.steps_of_epoch),
        decay_steps=config.epochs * plan.steps_of_epoch,
    )
    optimizer = optax.chain(
        optax.add_decayed_weights(
            config.weight_decay, lambda params: jax.tree.map(lambda x: x.ndim > 1, params)
        ),
        optax.sgd(schedule, config.momentum, nesterov=True),
    )
    return optimizer, schedule


def class_weights(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns the weight of each class, float32[classes]; its mean over the labels is one.

    Each is the inverse of the class's frequency; a class without a label has none.
    """
    counts = np.bincount(labels, minlength=num_classes)
    there = np.count_nonzero(counts)
    return np.where(counts, len(labels) / (there * np.maximum(counts, 1)), 0).astype(np.float32)


def make_train_steps(
    network: Network,
    config: TrainConfig,
    optimizer: optax.GradientTransformation,
    parts: Parts,
    mesh: jax.sharding.Mesh,
    weights: np.ndarray | None,
) -> Callable:
    """Returns a jitted function of several steps, which gives its first argument's memory away.

    It maps (state, (images, labels), rows int32[steps, B]) to (state, losses float32[steps]).

    Args:
      network: to train.
      config: how to train.
      optimizer: of the trainable leaves.
      parts: which those are.
      mesh: of the devices.
      weights: float32[classes], of the examples of each class; None for all alike.
    """
    task, train_logits = network.task, network.train_logits
    if jax.default_backend() == "cpu" and not network.loops_fast_on_cpu:
        train_logits = with_fast_depthwise(train_logits)

    def loss_fn(
        params: list, variables: Variables, images: jax.Array, labels: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, Variables]:
        targets = optax.smooth_labels(
            jax.nn.one_hot(labels, task.num_classes), config.label_smoothing
        )
        logits, variables = train_logits(parts.joined(params, variables), images, key)
        # The log-softmax of log-probabilities is they themselves. Taken twice, it rounds as it did
        # when the network ended in one: a seed gives the same parameters as ever, to the last bit.
        losses = optax.softmax_cross_entropy(jax.nn.log_softmax(logits), targets)
        if weights is not None:
            losses *= jnp.asarray(weights)[labels]
        return losses.mean(), variables

    def step(state: State, batch: tuple) -> tuple[State, jax.Array]:
        images, labels = batch
        # Drawn for the whole batch: how many devices share it must not matter.
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)
        shape = (config.batch_size, augmentation.draws_of_an_image(config))
        draws = jax.random.uniform(key, shape, jnp.float32)
        device = jax.lax.axis_index(AXIS)
        draws = jax.lax.dynamic_slice_in_dim(draws, device * len(images), len(images))
        images = augmentation.augment(images, draws, config, task.image_shape)
        params = parts.params(state.variables)
        (loss, variables), grads = jax.value_and_grad(loss_fn, has_aux=True)(
            params, state.variables, images, labels, jax.random.fold_in(key, device)
        )
        loss += 0 * images.sum()  # a relu would hide a pixel that is NaN
        if mesh.size > 1:  # else XLA would copy them
            loss, grads, variables = _mean((loss, grads, variables))
        updates, opt_state = optimizer.update(grads, state.opt_state, params)
        params = optax.apply_updates(params, updates)
        return State(state.step + 1, parts.joined(params, variables), opt_state), loss

    def steps(state: State, data: tuple, rows: jax.Array) -> tuple[State, jax.Array]:
        if len(rows) == 1:  # XLA would keep a loop of one
            state, loss = step(state, jax.tree.map(lambda x: x[rows[0]], data))
            return state, loss[None]
        return jax.lax.scan(
            lambda state, rows: step(state, jax.tree.map(lambda x: x[rows], data)), state, rows
        )

    replicated, by_batch = PartitionSpec(), PartitionSpec(None, AXIS)
    sharded = jax.shard_map(
        steps,
        mesh=mesh,
        in_specs=(replicated, replicated, by_batch),
        out_specs=replicated,
        check_vma=False,
    )
    return jax.jit(sharded, donate_argnums=0)


def _mean(tree: Any) -> Any:
    """Returns the means over all devices; what is not floating is the same on each."""
    return jax.tree.map(
        lambda x: jax.lax.pmean(x, AXIS) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree
    )
