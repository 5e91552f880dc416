"""A training that leaves the range of one is stopped, with the epoch and the step."""

import math

import numpy as np
import pytest

from modules.training import divergence, feed, loop
from modules.training.config import TrainConfig
from tests.modules.training.small_training import Data, make_riddle

# 190 training images in 95 steps: two calls of 47, and one batch that is left out.
TWO_CALLS = TrainConfig(epochs=2, batch_size=2, learning_rate=1e-3, num_classes=2, seed=3)


def batch_of(epoch: int, step: int) -> np.ndarray:
    """The rows that a step takes, both counted from 1."""
    train_rows, _ = feed.split_rows(200, TWO_CALLS)
    order = np.random.default_rng((TWO_CALLS.seed, epoch)).permutation(len(train_rows))
    return train_rows[order[2 * (step - 1) : 2 * step]]


def test_progress_is_told_after_each_call_and_metrics_after_each_epoch(halves: Data) -> None:
    calls: list[object] = []
    result = loop.train(
        *halves, TWO_CALLS, lambda *steps: calls.append(steps), lambda epoch: calls.append(epoch)
    )
    first, second = result.history
    assert calls == [(1, 47), (1, 94), first, (2, 47), (2, 94), second]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e9])
def test_bad_image_is_noticed_at_its_step(halves: Data, bad: float) -> None:
    """In the second call of an epoch, at the step whose batch holds it."""
    images, labels = halves[0].copy(), halves[1].copy()
    # Whatever the network makes of an image of 1e9, one of the two labels is far from it.
    images[batch_of(1, 70)] = bad
    labels[batch_of(1, 70)] = [0, 1]
    with pytest.raises(
        divergence.TrainingDivergedError, match=r"in epoch 1, step 70 of 94 .*bad values in the da"
    ):
        loop.train(images, labels, TWO_CALLS)


def test_a_single_nan_pixel_among_those_left_out_is_noticed_in_the_next_epoch(halves: Data) -> None:
    """Each epoch has an order of its own, and so leaves others out."""
    row = batch_of(1, 95)[0]
    [step] = [step for step in range(1, 95) if row in batch_of(2, step)]
    images = halves[0].copy()
    images[row, 400] = math.nan
    with pytest.raises(
        divergence.TrainingDivergedError, match=rf"was nan in epoch 2, step {step} of 94"
    ):
        loop.train(images, halves[1], TWO_CALLS)


def test_a_learning_rate_too_high_is_named() -> None:
    """With labels by chance: huge weights may well get right what is easy."""
    config = TrainConfig(epochs=1, batch_size=16, learning_rate=1e9, warmup=0, num_classes=2)
    with pytest.raises(
        divergence.TrainingDivergedError,
        match=r"the loss was \S+ in epoch 1, step 2 of 11 .*lower learning_rate \(now 1e\+09\)",
    ):
        loop.train(*make_riddle(), config)


@pytest.mark.parametrize(("num_classes", "limit"), [(1, "6.9"), (2, "6.9"), (10, "23.0")])
def test_the_limit_is_ten_times_the_loss_of_guessing(num_classes: int, limit: str) -> None:
    config = TrainConfig(num_classes=num_classes)
    divergence.check_losses([float(limit) - 0.01], 1, 1, 1, config)
    with pytest.raises(
        divergence.TrainingDivergedError, match=rf"\(a sound one is below {limit}\)"
    ):
        divergence.check_losses([float(limit) + 0.1], 1, 1, 1, config)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e9])
def test_the_first_bad_one_among_the_new_losses_is_named(bad: float) -> None:
    losses = [0.1, 0.2, 0.3, bad, math.nan]
    with pytest.raises(
        divergence.TrainingDivergedError,
        match=rf"was {bad:g} in epoch 7, step 4 of 9 ".replace("+", r"\+"),
    ):
        divergence.check_losses(losses, 3, 7, 9, TrainConfig())


def test_losses_that_were_looked_at_before_are_not_looked_at_again() -> None:
    divergence.check_losses([math.nan, 0.1, 0.2], 2, 1, 9, TrainConfig())
