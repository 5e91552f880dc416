"""The training: repeatable, effective, as configured, and free of TensorFlow."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from modules.models import cnn
from modules.training import augmentation, feed, loop
from modules.training.config import TrainConfig
from tests.modules.training.small_training import (
    FOUR_STEPS,
    SMALL,
    Data,
    assert_close,
    assert_same_bits,
    make_few,
)


def by_hand(images: np.ndarray, labels: np.ndarray, config: TrainConfig) -> cnn.Params:
    """Returns the parameters after the two epochs of FOUR_STEPS, or of a similar config."""
    rows, _ = feed.split_rows(len(images), config)
    orders = [
        rows[np.random.default_rng((config.seed, epoch)).permutation(len(rows))] for epoch in (1, 2)
    ]
    batches = np.reshape(orders, (4, config.batch_size))
    key = jax.random.key(config.seed)
    params = cnn.init_params(key, 2)
    velocity = jax.tree.map(jnp.zeros_like, params)

    def loss(params: cnn.Params, pixels: jax.Array, labels: jax.Array) -> jax.Array:
        log_probabilities = jax.nn.log_softmax(cnn.apply_flat(params, pixels))
        own = log_probabilities[jnp.arange(len(labels)), labels]
        smoothing = config.label_smoothing
        return -jnp.mean((1 - smoothing) * own + smoothing * log_probabilities.mean(axis=1))

    gradient_of = jax.jit(jax.grad(loss))
    for step, share in enumerate((0, 0.5, 1, 0.5)):
        draws = jax.random.uniform(jax.random.fold_in(key, step), (8, augmentation.DRAWS))
        pixels = augmentation.augment(images[batches[step]], draws, config)
        gradients = gradient_of(params, pixels, labels[batches[step]])
        for layer, leaves in gradients.items():
            leaves["kernel"] += config.weight_decay * params[layer]["kernel"]
        velocity = jax.tree.map(lambda v, g: config.momentum * v + g, velocity, gradients)
        # Nesterov's: the step after the velocity has been added once more.
        updates = jax.tree.map(lambda v, g: config.momentum * v + g, velocity, gradients)
        rate = config.learning_rate * share
        params = jax.tree.map(lambda p, u, rate=rate: p - rate * u, params, updates)
    return params


def test_steps_are_those_of_the_config_by_hand(four_steps: loop.TrainResult) -> None:
    assert_close(four_steps.params, by_hand(*make_few(), FOUR_STEPS), 1e-4)


@pytest.mark.parametrize(
    "field",
    ["momentum", "weight_decay", "label_smoothing", "max_rotation", "max_shift", "max_scaling"],
)
def test_without_a_part_of_the_config_the_steps_by_hand_are_others(
    four_steps: loop.TrainResult, field: str
) -> None:
    without = dataclasses.replace(FOUR_STEPS, **{field: 0.0})
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(by_hand(*make_few(), without), four_steps.params, 1e-3)


def plain(network: cnn.CNN, x: jax.Array, features: int, name: str) -> jax.Array:
    """Takes the place of `CNN._conv_relu_pool`, with Flax's layers on a CPU too."""
    x = nn.relu(nn.Conv(features, kernel_size=(3, 3), name=name)(x))
    return nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))


def test_a_network_that_is_slow_in_a_loop_is_trained_step_by_step_and_alike(
    monkeypatch: pytest.MonkeyPatch, four_steps: loop.TrainResult
) -> None:
    monkeypatch.setattr(cnn.CNN, "_conv_relu_pool", plain)
    monkeypatch.setattr(cnn, "LOOPS_FAST_ON_CPU", False)
    assert loop.steps_of_epoch(17, FOUR_STEPS) == (2, 1)
    told: list[tuple[int, int]] = []
    result = loop.train(*make_few(), FOUR_STEPS, lambda *steps: told.append(steps))
    assert told == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert_close(result.params, four_steps.params, 1e-4)


@pytest.mark.parametrize("with_convolutions", [False, True])
def test_the_loop_is_fast_on_a_cpu_as_the_model_says(
    monkeypatch: pytest.MonkeyPatch, with_convolutions: bool
) -> None:
    """The compiled steps, whatever their text is otherwise, have no convolution of XLA's."""
    compiled: list[str] = []
    make = loop._make_train_steps

    class Watched:
        def __init__(self, *arguments: object) -> None:
            self._steps = make(*arguments)

        def lower(self, *arguments: object) -> jax.stages.Lowered:
            lowered = self._steps.lower(*arguments)
            compiled.append(lowered.compile().as_text())
            return lowered

    monkeypatch.setattr(loop, "_make_train_steps", Watched)
    if with_convolutions:
        monkeypatch.setattr(cnn.CNN, "_conv_relu_pool", plain)
    loop.train(*make_few(), dataclasses.replace(FOUR_STEPS, epochs=1))
    (text,) = compiled
    assert " while(" in text and " dot(" in text
    found = re.search(r" convolution\(|custom_call_target=\S*conv", text) is not None
    assert found == with_convolutions and cnn.LOOPS_FAST_ON_CPU


def test_learning_rate_rises_to_its_highest_and_falls_to_zero(
    four_steps: loop.TrainResult, small_result: loop.TrainResult
) -> None:
    rates = [metrics.learning_rate for metrics in four_steps.history]
    assert rates == pytest.approx([0.05, 0.05])  # on the way up, and down
    rates = [metrics.learning_rate for metrics in small_result.history]
    assert rates == sorted(rates, reverse=True)
    assert SMALL.learning_rate > rates[0] > 0.9 * SMALL.learning_rate
    assert 0 < rates[-1] < 0.01 * SMALL.learning_rate


def test_learns_what_is_easy(halves: Data, small_result: loop.TrainResult) -> None:
    first, *_, last = small_result.history
    assert [metrics.epoch for metrics in small_result.history] == [1, 2, 3, 4]
    assert last.train_loss < first.train_loss < 1
    assert last.validation_accuracy == 1.0
    fresh = halves[0][:, ::-1], 1 - halves[1]  # upside down, the other class
    assert loop.evaluate(small_result.params, *fresh)[1] > 0.9


def test_same_seed_same_bits(halves: Data, small_result: loop.TrainResult) -> None:
    again = loop.train(*halves, SMALL)
    assert_same_bits(again, small_result)
    np.testing.assert_array_equal(again.validation_rows, small_result.validation_rows)


def test_other_seed_other_training(halves: Data, small_result: loop.TrainResult) -> None:
    other = loop.train(*halves, dataclasses.replace(SMALL, seed=1))
    assert not np.array_equal(other.params["logits"]["bias"], small_result.params["logits"]["bias"])
    assert set(other.validation_rows) != set(small_result.validation_rows)


def test_history_is_of_the_rows_held_out(halves: Data, small_result: loop.TrainResult) -> None:
    images, labels = halves
    _, validation_rows = feed.split_rows(200, SMALL)
    np.testing.assert_array_equal(small_result.validation_rows, validation_rows)
    last = small_result.history[-1]
    assert loop.evaluate(small_result.params, images[validation_rows], labels[validation_rows]) == (
        last.validation_loss,
        last.validation_accuracy,
    )


def test_trained_images_and_seconds_are_of_the_whole_training(
    small_result: loop.TrainResult,
) -> None:
    assert small_result.trained_images == 4 * 11 * 16  # 190 images in full batches of 16
    assert small_result.train_seconds > 0 < small_result.compile_seconds


@pytest.mark.parametrize(
    ("examples", "batch_size", "expected"),
    [(200, 16, (1, 11)), (200, 2, (2, 47)), (60_000, 64, (18, 49)), (17, 16, (1, 1))],
)
def test_steps_of_an_epoch_on_a_cpu_come_in_calls_of_about_fifty(
    monkeypatch: pytest.MonkeyPatch, examples: int, batch_size: int, expected: tuple[int, int]
) -> None:
    config = TrainConfig(batch_size=batch_size)
    monkeypatch.setattr(loop, "_on_cpu", lambda: True)
    assert loop.steps_of_epoch(examples, config) == expected
    whole = round(examples * 0.95) // batch_size
    monkeypatch.setattr(cnn, "LOOPS_FAST_ON_CPU", False)
    assert loop.steps_of_epoch(examples, config) == (whole, 1)
    monkeypatch.setattr(loop, "_on_cpu", lambda: False)
    assert loop.steps_of_epoch(examples, config) == (1, whole)


def test_too_few_examples(halves: Data) -> None:
    images, labels = (array[:16] for array in halves)
    with pytest.raises(ValueError, match="16 training examples are too few: 1 are held out .* 16$"):
        loop.train(images, labels, SMALL)


@pytest.mark.parametrize(("count", "held_out"), [(17, 1), (200, 10), (1433, 72)])
def test_split_is_disjoint_and_complete(count: int, held_out: int) -> None:
    train_rows, validation_rows = feed.split_rows(count, SMALL)
    assert len(validation_rows) == held_out
    both = np.concatenate([train_rows, validation_rows])
    np.testing.assert_array_equal(np.sort(both), np.arange(count))


def test_split_is_by_the_seed() -> None:
    config = TrainConfig(seed=1)
    for part, again in zip(feed.split_rows(100, config), loop.split_rows(100, config), strict=True):
        np.testing.assert_array_equal(part, again)
    assert set(feed.split_rows(100, config)[1]) != set(loop.split_rows(100, SMALL)[1])


def test_evaluate_and_predict_in_batches(params: cnn.Params, images: np.ndarray) -> None:
    logits = np.asarray(cnn.apply_flat(params, images))
    np.testing.assert_allclose(loop.predict(params, images, batch_size=64), logits, atol=1e-5)
    labels = logits.argmax(axis=1)
    labels[:50] = (labels[:50] + 1) % 10
    loss, accuracy = loop.evaluate(params, images, labels)
    assert accuracy == 0.75
    own = np.asarray(jax.nn.log_softmax(logits))[np.arange(200), labels]
    assert loss == pytest.approx(-own.mean(), rel=1e-4)


def test_training_needs_neither_tensorflow_nor_tfx(imported_by_training: set[str]) -> None:
    assert {"jax", "tensorflow", "tfx"} & imported_by_training == {"jax"}
