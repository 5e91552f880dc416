"""What each call of the compiled program is trained on."""

import dataclasses

import jax
import numpy as np
import pytest

from modules.examples import spill
from modules.examples.images import Images, to_records
from modules.training import feed, loop, plan
from modules.training.feed import Feed
from tests.modules.training.small_training import HALVES, SMALL, assert_same_bits, make_riddle

SHARDING = jax.sharding.SingleDeviceSharding(jax.devices()[0])
BATCHES = np.array([[0, 3], [2, 3]], np.int32)


@pytest.fixture
def rows() -> np.ndarray:
    return np.array([5, 1, 8, 2])


@pytest.mark.parametrize(("streamed", "num_images"), [(False, 4), (True, 4), (True, 2)])
def test_data_and_batches_belong_together(
    rows: np.ndarray, streamed: bool, num_images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_AT_ONCE", 3)
    images = np.arange(7840, dtype=np.float32).reshape(10, 784)
    call = Feed(images, np.arange(10), rows, streamed, SHARDING)
    batches = BATCHES[: num_images // 2]
    (data, labels), places = call(batches)
    assert len(data) == len(labels) == num_images
    assert (labels.dtype, places.dtype, places.shape) == (np.int32, np.int32, batches.shape)
    np.testing.assert_array_equal(labels[places], rows[batches])
    np.testing.assert_array_equal(data[places], images[rows[batches]])


def test_no_more_than_some_images_are_made_at_once(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on their way to an accelerator, where all of them stay."""
    monkeypatch.setattr(feed, "_AT_ONCE", 3)

    class Watched(np.ndarray):
        def __getitem__(self, wanted: np.ndarray) -> np.ndarray:
            made.append(len(wanted))
            return np.asarray(self)[wanted]

    made: list[int] = []
    Feed(np.ones((10, 784), np.float32).view(Watched), np.arange(10), rows, False, SHARDING)
    assert made == [3, 1]


def test_resident_data_is_put_on_the_devices_once(rows: np.ndarray) -> None:
    call = Feed(np.ones((10, 784), np.float32), np.arange(10), rows, False, SHARDING)
    assert call(BATCHES)[0][0] is call(BATCHES[::-1])[0][0]


@pytest.mark.parametrize("max_bytes", [10**9, 0])
def test_training_ends_with_the_same_bits_however_the_images_are_kept(
    monkeypatch: pytest.MonkeyPatch, max_bytes: int
) -> None:
    """As floats on the devices, or in memory or in a file until they are made for a call."""
    monkeypatch.setattr(plan, "_STEPS_A_CALL", 4)
    noise, labels = make_riddle()
    greys = np.clip(np.rint(noise * 40 + 100), 0, 255).astype(np.float32) / np.float32(255)
    records = to_records(greys, labels, np.uint8)
    kept = Images(spill.sort_records([records], max_bytes)).then(lambda x: x * 3 - 1)
    sorted_labels = (
        np.sort(records.view(f"V{records.itemsize}")).view(records.dtype)["label"].astype(int)
    )
    put: list[int] = []
    monkeypatch.setattr(
        Feed, "_put", lambda feed, rows, _put=Feed._put: put.append(len(rows)) or _put(feed, rows)
    )
    found = loop.train(HALVES, kept, sorted_labels, SMALL)
    planned = plan.make_plan(HALVES, sorted_labels, SMALL)
    assert planned.streamed and planned.calls > 1
    called = 1 + SMALL.epochs * planned.calls
    assert put == [planned.steps * SMALL.batch_size] * called
    resident = dataclasses.replace(planned, streamed=False)
    monkeypatch.setattr(loop, "make_plan", lambda *_: resident)
    assert_same_bits(found, loop.train(HALVES, kept[:], sorted_labels, SMALL))
