"""The training: repeatable, effective, as configured, and free of TensorFlow."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modules.training import augmentation, loop, plan
from modules.training.config import TrainConfig
from tests.modules.training.small_training import (
    FOUR_STEPS,
    HALVES,
    SMALL,
    Data,
    assert_close,
    assert_same_bits,
    make_few,
    make_riddle,
)


def by_hand(images: np.ndarray, labels: np.ndarray, config: TrainConfig) -> dict:
    """Returns the parameters after the two epochs of FOUR_STEPS, or of a similar config."""
    rows, _ = plan.split_rows(labels, config)
    orders = [
        rows[np.random.default_rng((config.seed, epoch)).permutation(len(rows))] for epoch in (1, 2)
    ]
    batches = np.reshape(orders, (4, config.batch_size))
    key = jax.random.key(config.seed)
    params = HALVES.init(config.seed)["params"]
    velocity = jax.tree.map(jnp.zeros_like, params)

    def loss(params: dict, pixels: jax.Array, labels: jax.Array) -> jax.Array:
        log_probabilities = jax.nn.log_softmax(HALVES.logits({"params": params}, pixels))
        own = log_probabilities[jnp.arange(len(labels)), labels]
        smoothing = config.label_smoothing
        return -jnp.mean((1 - smoothing) * own + smoothing * log_probabilities.mean(axis=1))

    gradient_of = jax.jit(jax.grad(loss))
    for step, share in enumerate((0, 0.5, 1, 0.5)):
        draws = jax.random.uniform(
            jax.random.fold_in(key, step), (8, augmentation.draws_of_an_image(config))
        )
        pixels = augmentation.augment(images[batches[step]], draws, config, (28, 28, 1))
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
    assert_close(four_steps.variables["params"], by_hand(*make_few(), FOUR_STEPS), 1e-4)


@pytest.mark.parametrize(
    "field",
    ["momentum", "weight_decay", "label_smoothing", "max_rotation", "max_shift", "max_scaling"],
)
def test_without_a_part_of_the_config_the_steps_by_hand_are_others(
    four_steps: loop.TrainResult, field: str
) -> None:
    without = dataclasses.replace(FOUR_STEPS, **{field: 0.0})
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(by_hand(*make_few(), without), four_steps.variables["params"], 1e-3)


def test_learning_rate_rises_to_its_highest_and_falls_to_zero(
    four_steps: loop.TrainResult, small_result: loop.TrainResult
) -> None:
    rates = [metrics.learning_rate for metrics in four_steps.history]
    assert rates == pytest.approx([0.05, 0.05])  # on the way up, and down
    rates = [metrics.learning_rate for metrics in small_result.history]
    assert rates[0] == pytest.approx(SMALL.learning_rate / 2)  # in the middle of 20 steps
    assert SMALL.learning_rate > rates[1] > 0.9 * SMALL.learning_rate
    assert rates[1] > rates[2] > rates[3] > 0
    assert rates[3] < 0.01 * SMALL.learning_rate


def test_learns_what_is_easy(halves: Data, small_result: loop.TrainResult) -> None:
    first, *_, last = small_result.history
    assert [metrics.epoch for metrics in small_result.history] == [1, 2, 3, 4]
    assert last.train_loss < first.train_loss < 1
    assert last.validation_accuracy == 1.0
    fresh = halves[0][:, ::-1], 1 - halves[1]  # upside down, the other class
    assert loop.evaluate(HALVES, small_result.variables, *fresh)[1] > 0.9


def test_same_seed_same_bits(halves: Data, small_result: loop.TrainResult) -> None:
    again = loop.train(HALVES, *halves, SMALL)
    assert_same_bits(again, small_result)
    np.testing.assert_array_equal(again.validation_rows, small_result.validation_rows)


def test_other_seed_other_training(halves: Data, small_result: loop.TrainResult) -> None:
    other = loop.train(HALVES, *halves, dataclasses.replace(SMALL, seed=1))
    biases = [result.variables["params"]["logits"]["bias"] for result in (other, small_result)]
    assert not np.array_equal(*biases)
    assert set(other.validation_rows) != set(small_result.validation_rows)


def test_history_is_of_the_rows_held_out(halves: Data, small_result: loop.TrainResult) -> None:
    images, labels = halves
    _, validation_rows = plan.split_rows(labels, SMALL)
    np.testing.assert_array_equal(small_result.validation_rows, validation_rows)
    last = small_result.history[-1]
    held_out = images[validation_rows], labels[validation_rows]
    assert loop.evaluate(HALVES, small_result.variables, *held_out) == (
        last.validation_loss,
        last.validation_accuracy,
    )


def test_trained_images_and_seconds_are_of_the_whole_training(
    small_result: loop.TrainResult,
) -> None:
    assert small_result.trained_images == 4 * 11 * 16  # 190 images in full batches of 16
    assert small_result.train_seconds > 0 < small_result.compile_seconds


def test_evaluate_and_predict_in_batches(halves: Data, small_result: loop.TrainResult) -> None:
    images, variables = halves[0], small_result.variables
    logits = np.asarray(HALVES.logits(variables, images))
    found = loop.predict(HALVES, variables, images, batch_size=64)
    np.testing.assert_allclose(found, logits, atol=1e-5)
    labels = logits.argmax(axis=1)
    labels[:50] = 1 - labels[:50]
    loss, accuracy = loop.evaluate(HALVES, variables, images, labels)
    assert accuracy == 0.75
    own = np.asarray(jax.nn.log_softmax(logits))[np.arange(200), labels]
    assert loss == pytest.approx(-own.mean(), rel=1e-4)


def test_a_training_that_learns_nothing_says_so() -> None:
    images, labels = np.zeros((200, 784), np.float32), make_riddle()[1]
    result = loop.train(HALVES, images, labels, dataclasses.replace(SMALL, epochs=1))
    share = max(np.bincount(labels[result.validation_rows])) / 10
    assert result.notes == (
        f"the network learnt nothing: {result.history[-1].validation_accuracy:.2%} of the images "
        f"held out are right, and always naming the most frequent class is right for {share:.2%}",
    )


def test_a_training_that_learns_has_nothing_to_say(small_result: loop.TrainResult) -> None:
    assert small_result.notes == () and small_result.epoch == 4


@pytest.mark.parametrize("count", [2, 10])
def test_a_few_images_train(halves: Data, count: int) -> None:
    images, labels = (array[:count] for array in halves)
    result = loop.train(HALVES, images, labels, dataclasses.replace(SMALL, epochs=10))
    assert result.history[-1].train_loss < result.history[0].train_loss
    assert "there are few" in result.notes[0]


def test_rare_classes_count_for_more_on_demand() -> None:
    """All images are alike, so a network learns how frequent each class seems to be."""
    images, labels = np.zeros((200, 784), np.float32), np.arange(200) % 10 // 9
    config = TrainConfig(epochs=20, batch_size=16, learning_rate=0.05)
    weighted = dataclasses.replace(config, class_weights=True)
    shares = [
        np.exp(loop.predict(HALVES, loop.train(HALVES, images, labels, each).variables, images[:1]))
        for each in (config, weighted)
    ]
    plain, fair = (float(share[0, 1] / share.sum()) for share in shares)
    assert plain == pytest.approx(0.1, abs=0.05)
    assert fair == pytest.approx(0.5, abs=0.15)


def test_training_needs_neither_tensorflow_nor_tfx(imported_by_training: set[str]) -> None:
    assert {"jax", "tensorflow", "tfx"} & imported_by_training == {"jax"}
