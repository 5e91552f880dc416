"""What each call of the compiled program is trained on."""

import dataclasses

import jax
import numpy as np
import pytest

from modules import spill, training
from modules.feed import Feed
from tests.modules.small_training import SMALL, assert_same_bits, make_riddle

SHARDING = jax.sharding.SingleDeviceSharding(jax.devices()[0])
BATCHES = np.array([[0, 3], [2, 3]], np.int32)


@pytest.fixture
def rows() -> np.ndarray:
    return np.array([5, 1, 8, 2])


@pytest.mark.parametrize(("streamed", "num_images"), [(False, 4), (True, 4), (True, 2)])
def test_data_and_batches_belong_together(
    rows: np.ndarray, streamed: bool, num_images: int
) -> None:
    images = np.arange(40, dtype=np.float32).reshape(10, 4)
    feed = Feed(images, np.arange(10), rows, streamed, SHARDING)
    batches = BATCHES[: num_images // 2]
    (data, labels), places = feed(batches)
    assert len(data) == len(labels) == num_images
    assert (labels.dtype, places.dtype, places.shape) == (np.int32, np.int32, batches.shape)
    np.testing.assert_array_equal(labels[places], rows[batches])
    np.testing.assert_array_equal(data[places], images[rows[batches]])


def test_resident_data_is_put_on_the_devices_once(rows: np.ndarray) -> None:
    feed = Feed(np.ones((10, 4), np.float32), np.arange(10), rows, False, SHARDING)
    assert feed(BATCHES)[0][0] is feed(BATCHES[::-1])[0][0]


def test_training_from_a_file_ends_with_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In several calls an epoch, whose lengths the limit does not change on a CPU."""
    monkeypatch.setattr(training, "_STEPS_A_CALL", 4)
    images, labels = make_riddle()
    in_file = spill.collect([images], max_bytes=0)
    expected = training.train(images, labels, SMALL)
    put = []
    monkeypatch.setattr(
        Feed, "_put", lambda feed, rows, _put=Feed._put: put.append(len(rows)) or _put(feed, rows)
    )
    config = dataclasses.replace(SMALL, max_bytes=images.nbytes - 1)
    found = training.train(in_file, labels, config)
    assert_same_bits(found, expected)
    calls, steps = training.steps_of_epoch(len(images), config)
    assert calls > 1
    assert put == [steps * SMALL.batch_size] * (1 + SMALL.epochs * calls)


def test_an_accelerator_takes_some_fifty_steps_a_call_when_it_is_streamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "_on_cpu", lambda: False)
    count = 64 * 1000
    config = dataclasses.replace(SMALL, batch_size=64, max_bytes=count * 784 * 4)
    assert training.steps_of_epoch(count, config) == (1, 950)
    streamed = dataclasses.replace(config, max_bytes=config.max_bytes - 1)
    assert training.steps_of_epoch(count, streamed) == (19, 50)
