"""A training that ends when it does not get better, with the best that it had."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from modules.training import loop
from modules.training.saved import checkpoints
from tests.modules.training.small_training import HALVES, SMALL, assert_same_bits, make_riddle

# Labels by chance: what is learnt of them is no use for those held out.
PATIENT = dataclasses.replace(SMALL, epochs=12, learning_rate=0.05, early_stop=2)
KEY = "riddle"


@pytest.fixture(scope="module")
def stopped() -> loop.TrainResult:
    return loop.train(HALVES, *make_riddle(), PATIENT)


def test_it_ends_so_many_epochs_after_the_best(stopped: loop.TrainResult) -> None:
    losses = [metrics.validation_loss for metrics in stopped.history]
    assert stopped.epoch == int(np.argmin(losses)) + 1
    assert len(losses) == stopped.epoch + 2 < 12
    assert stopped.trained_images == len(losses) * 11 * 16
    assert stopped.notes[0] == (
        f"stopped after epoch {len(losses)} of 12, since none was better than epoch "
        f"{stopped.epoch}, which is kept"
    )


def test_the_variables_are_those_of_the_best_epoch(stopped: loop.TrainResult) -> None:
    images, labels = make_riddle()
    best, rows = stopped.history[stopped.epoch - 1], stopped.validation_rows
    assert loop.evaluate(HALVES, stopped.variables, images[rows], labels[rows]) == (
        best.validation_loss,
        best.validation_accuracy,
    )


def test_without_it_all_epochs_are_trained_and_the_last_is_kept(
    stopped: loop.TrainResult,
) -> None:
    result = loop.train(HALVES, *make_riddle(), dataclasses.replace(PATIENT, early_stop=0))
    assert len(result.history) == result.epoch == 12
    assert result.history[: len(stopped.history)] == stopped.history


@pytest.mark.parametrize("after", [1, 3])
def test_an_interrupted_training_stops_at_the_same_epoch_with_the_same_bits(
    stopped: loop.TrainResult, tmp_path: Path, after: int
) -> None:
    class HaltError(Exception):
        pass

    def halt(metrics: loop.EpochMetrics) -> None:
        if metrics.epoch == after:
            raise HaltError

    with pytest.raises(HaltError):
        saved = checkpoints.Checkpoints(tmp_path, KEY, print)
        loop.train(HALVES, *make_riddle(), PATIENT, on_epoch=halt, checkpoints=saved)
    saved = checkpoints.Checkpoints(tmp_path, KEY, print)
    result = loop.train(HALVES, *make_riddle(), PATIENT, checkpoints=saved)
    assert_same_bits(result, stopped)
    assert (result.epoch, result.notes) == (stopped.epoch, stopped.notes)
    # After the end, nothing is trained again.
    saved = checkpoints.Checkpoints(tmp_path, KEY, print)
    again = loop.train(HALVES, *make_riddle(), PATIENT, checkpoints=saved)
    assert again.trained_images == 0
    jax.tree.map(np.testing.assert_array_equal, again.variables, stopped.variables)
