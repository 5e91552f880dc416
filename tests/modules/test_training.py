"""The training: repeatable, effective, loud when it diverges, and free of TensorFlow."""

import math
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from modules import model, training
from modules.train_config import TrainConfig

ROOT = Path(__file__).parent.parent.parent
SMALL = TrainConfig(epochs=2, batch_size=16, learning_rate=0.02, num_classes=2)


@pytest.fixture(scope="module")
def halves() -> tuple[np.ndarray, np.ndarray]:
    """200 noisy images, bright in the upper half (class 0) or in the lower one (class 1)."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    images = random.normal(scale=0.3, size=(200, 2, 392))
    images[np.arange(200), labels] += 1
    return images.reshape(200, 784).astype(np.float32), labels


@pytest.fixture(scope="module")
def result(halves: tuple[np.ndarray, np.ndarray]) -> training.TrainResult:
    return training.train(*halves, SMALL)


def test_learns_what_is_easy(
    halves: tuple[np.ndarray, np.ndarray], result: training.TrainResult
) -> None:
    first, last = result.history
    assert (first.epoch, last.epoch) == (1, 2)
    assert last.train_loss < first.train_loss < 1
    assert last.validation_accuracy == 1.0
    fresh = halves[0][:, ::-1], 1 - halves[1]  # upside down, the other class
    assert training.evaluate(result.params, *fresh)[1] > 0.9


def test_same_seed_same_bits(
    halves: tuple[np.ndarray, np.ndarray], result: training.TrainResult
) -> None:
    again = training.train(*halves, SMALL)
    jax.tree.map(np.testing.assert_array_equal, result.params, again.params)
    assert again.history == result.history
    np.testing.assert_array_equal(again.validation_rows, result.validation_rows)


def test_other_seed_other_training(
    halves: tuple[np.ndarray, np.ndarray], result: training.TrainResult
) -> None:
    other = training.train(*halves, TrainConfig(**{**vars(SMALL), "seed": 1}))
    assert not np.array_equal(other.params["logits"]["bias"], result.params["logits"]["bias"])
    assert set(other.validation_rows) != set(result.validation_rows)


def test_history_is_of_the_rows_held_out(
    halves: tuple[np.ndarray, np.ndarray], result: training.TrainResult
) -> None:
    images, labels = halves
    _, validation_rows = training.split_rows(200, SMALL)
    np.testing.assert_array_equal(result.validation_rows, validation_rows)
    assert training.evaluate(
        result.params, images[validation_rows], labels[validation_rows]
    ) == pytest.approx((result.history[-1].validation_loss, 1.0))


def test_callbacks(halves: tuple[np.ndarray, np.ndarray]) -> None:
    """Progress every 50 steps and at the end of an epoch, then the epoch's metrics."""
    images, labels = (array[:125] for array in halves)
    config = TrainConfig(epochs=2, batch_size=1, learning_rate=1e-3, num_classes=2)
    calls: list[object] = []
    result = training.train(
        images, labels, config, lambda *step: calls.append(step), lambda epoch: calls.append(epoch)
    )
    assert calls == [
        *((1, 50), (1, 100), (1, 119), result.history[0]),
        *((2, 50), (2, 100), (2, 119), result.history[1]),
    ]
    assert len(result.history) == 2


def test_diverging_names_epoch_and_step(halves: tuple[np.ndarray, np.ndarray]) -> None:
    """With labels by chance: huge weights may well get right what is easy."""
    labels = np.random.default_rng(1).integers(0, 2, 200)
    config = TrainConfig(epochs=1, batch_size=16, learning_rate=1e9, num_classes=2)
    with pytest.raises(
        training.TrainingDivergedError,
        match=r"the loss was \S+ in epoch 1, step 2 of 11 .*lower learning_rate \(now 1e\+09\)",
    ):
        training.train(halves[0], labels, config)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e9])
def test_bad_image_is_noticed_at_its_step(
    halves: tuple[np.ndarray, np.ndarray], bad: float
) -> None:
    """In the second lot of 50 steps, at the step whose batch holds it."""
    images, labels = halves[0].copy(), halves[1]
    config = TrainConfig(epochs=1, batch_size=2, learning_rate=1e-3, num_classes=2, seed=3)
    train_rows, _ = training.split_rows(200, config)
    order = np.random.default_rng((3, 1)).permutation(train_rows)
    # Whatever the network makes of an image of 1e9, one of the two labels is far from it.
    images[order[2 * 70 : 2 * 71]] = bad
    labels = labels.copy()
    labels[order[2 * 70 : 2 * 71]] = [0, 1]
    with pytest.raises(
        training.TrainingDivergedError, match=r"in epoch 1, step 71 of 95 .*bad values in the data"
    ):
        training.train(images, labels, config)


def test_too_few_examples(halves: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = (array[:16] for array in halves)
    with pytest.raises(ValueError, match="16 training examples are too few: 1 are held out .* 16$"):
        training.train(images, labels, SMALL)


@pytest.mark.parametrize(("count", "held_out"), [(17, 1), (200, 10), (1433, 72)])
def test_split_is_disjoint_and_complete(count: int, held_out: int) -> None:
    train_rows, validation_rows = training.split_rows(count, SMALL)
    assert len(validation_rows) == held_out
    both = np.concatenate([train_rows, validation_rows])
    np.testing.assert_array_equal(np.sort(both), np.arange(count))


def test_split_is_by_the_seed() -> None:
    config = TrainConfig(seed=1)
    for part, again in zip(
        training.split_rows(100, config), training.split_rows(100, config), strict=True
    ):
        np.testing.assert_array_equal(part, again)
    assert set(training.split_rows(100, config)[1]) != set(training.split_rows(100, SMALL)[1])


def test_cross_entropy_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]], np.float32))
    expected = -(math.log(0.25) + math.log(0.8)) / 2
    labels = np.array([1, 2], np.int32)
    assert float(training.cross_entropy(logits, labels)) == pytest.approx(expected, rel=1e-6)


def test_evaluate_and_predict_in_batches(params: model.Params, images: np.ndarray) -> None:
    logits = np.asarray(model.apply_flat(params, images))
    np.testing.assert_allclose(training.predict(params, images, batch_size=64), logits, atol=1e-5)
    labels = logits.argmax(axis=1)
    labels[:50] = (labels[:50] + 1) % 10
    loss, accuracy = training.evaluate(params, images, labels)
    assert accuracy == 0.75
    assert loss == pytest.approx(-logits[np.arange(200), labels].mean(), rel=1e-4)


def test_training_and_model_need_neither_tensorflow_nor_tfx() -> None:
    script = (
        "import sys, modules.training, modules.model\n"
        "print(sorted({'jax', 'tensorflow', 'tfx'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['jax']\n"
