"""A training that leaves the range of one is stopped, with the epoch and the step."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from modules.training import divergence, loop, plan
from modules.training.config import TrainConfig
from tests.modules.training.small_training import HALVES, Data, make_halves, make_riddle

# 190 training images in 95 steps: two calls of 47, and one batch that is left out.
TWO_CALLS = TrainConfig(epochs=2, batch_size=2, learning_rate=1e-3, seed=3)


def batch_of(epoch: int, step: int) -> np.ndarray:
    """The rows that a step takes, both counted from 1."""
    train_rows, _ = plan.split_rows(make_halves()[1], TWO_CALLS)
    order = np.random.default_rng((TWO_CALLS.seed, epoch)).permutation(len(train_rows))
    return train_rows[order[2 * (step - 1) : 2 * step]]


def test_progress_is_told_after_each_call_and_metrics_after_each_epoch(halves: Data) -> None:
    calls: list[object] = []
    result = loop.train(
        HALVES,
        *halves,
        TWO_CALLS,
        lambda *steps: calls.append(steps),
        lambda epoch: calls.append(epoch),
    )
    first, second = result.history
    assert calls == [(1, 47), (1, 94), first, (2, 47), (2, 94), second]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_bad_image_is_noticed_at_its_step(halves: Data, bad: float) -> None:
    """In the second call of an epoch, at the step whose batch holds it."""
    images, labels = halves[0].copy(), halves[1]
    images[batch_of(1, 70)] = bad
    with pytest.raises(
        divergence.TrainingDivergedError, match=r"in epoch 1, step 70 of 94 .*bad values in the da"
    ):
        loop.train(HALVES, images, labels, TWO_CALLS)


def test_a_single_nan_pixel_among_those_left_out_is_noticed_in_the_next_epoch(halves: Data) -> None:
    """Each epoch has an order of its own, and so leaves others out."""
    row = batch_of(1, 95)[0]
    [step] = [step for step in range(1, 95) if row in batch_of(2, step)]
    images = halves[0].copy()
    images[row, 400] = math.nan
    with pytest.raises(
        divergence.TrainingDivergedError, match=rf"was nan in epoch 2, step {step} of 94"
    ):
        loop.train(HALVES, images, halves[1], TWO_CALLS)


def test_a_learning_rate_too_high_is_named() -> None:
    """With labels by chance: huge weights may well get right what is easy."""
    config = TrainConfig(epochs=3, batch_size=16, learning_rate=1e9, warmup=0)
    with pytest.raises(
        divergence.TrainingDivergedError,
        match=r"the loss was \S+ in epoch 1, step \d+ of 11 .*lower learning_rate \(now 1e\+09\)",
    ):
        loop.train(HALVES, *make_riddle(), config)


def watch(steps: int = 100, num_classes: int = 10) -> divergence.Watch:
    return divergence.Watch(TrainConfig(), num_classes, steps)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_named_at_once(bad: float) -> None:
    with pytest.raises(
        divergence.TrainingDivergedError, match=rf"was {bad:g} in epoch 7, step 43 of 100 "
    ):
        watch().losses([0.1, 0.2, bad, math.nan], 7, 40)


def test_spikes_that_pass_are_no_divergence() -> None:
    watched = watch(steps=20)
    for epoch in (1, 2):
        watched.losses([*[1e9] * 19, 0.1], epoch, 0)
    watched.end()


def test_a_loss_that_stays_high_is_named_where_it_rose_whatever_the_epoch() -> None:
    watched = watch()
    watched.losses([0.1, *[50] * 10], 1, 89)
    with pytest.raises(
        divergence.TrainingDivergedError, match=r"was 50 in epoch 1, step 91 of 100 .*and stayed"
    ):
        watched.losses([1e3] * 10, 2, 0)


def test_a_last_epoch_of_few_steps_with_high_losses_alone_is_a_divergence() -> None:
    watched = watch(steps=3)
    watched.losses([0.1, 50, 60], 1, 0)
    watched.losses([70, 80, 90], 2, 0)
    with pytest.raises(divergence.TrainingDivergedError, match="was 50 in epoch 1, step 2 of 3 "):
        watched.end()


@pytest.mark.parametrize(("num_classes", "limit"), [(1, "6.9"), (2, "6.9"), (10, "23.0")])
def test_the_limit_is_ten_times_the_loss_of_guessing(num_classes: int, limit: str) -> None:
    watched = watch(1, num_classes)
    watched.losses([float(limit) - 0.01] * 100, 1, 0)
    watched.end()
    with pytest.raises(
        divergence.TrainingDivergedError, match=rf"\(a sound one is below {limit}\)"
    ):
        watched.losses([float(limit) + 0.1] * 20, 1, 0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_variable_that_is_no_number_is_named(dtype: str) -> None:
    """Statistics of a normalisation, say, which no loss of the training depends on."""
    variables = {"params": [np.ones(2)], "batch_stats": {"mean": jnp.asarray([0, np.nan], dtype)}}
    with pytest.raises(
        divergence.TrainingDivergedError, match="batch_stats/mean was not finite after epoch 3"
    ):
        watch().variables(variables, 3, 0.1)
    watch().variables({"params": variables["params"], "count": np.int32(3)}, 3, 0.1)


def test_a_validation_loss_that_is_no_number_is_named() -> None:
    with pytest.raises(divergence.TrainingDivergedError, match="validation loss was nan after"):
        watch().variables({}, 3, math.nan)
