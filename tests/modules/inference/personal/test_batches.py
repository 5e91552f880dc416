"""Every sample once an epoch, the package's classes alike, and weights that make up for copies."""

import numpy as np
import pytest

from modules.inference.personal.batches import Mixture
from modules.inference.personal.reservoir import Samples


def samples(labels: list[int], first: int) -> Samples:
    """Returns samples whose only feature is a number of their own."""
    numbers = np.arange(first, first + len(labels), dtype=np.float32)
    return Samples(numbers[:, np.newaxis], np.array(labels, np.int32))


OWN = samples([0, 0, 0, 3, 3], first=0)
REPLAY = samples([0] * 20 + [1] * 2 + [2] * 5, first=100)


def test_each_sample_is_in_one_batch_of_an_epoch_in_another_order() -> None:
    mixture, random = Mixture(2, 0, 4), np.random.default_rng(0)
    orders = []
    for _ in range(4):
        batches = list(mixture.epoch(OWN, None, random))
        assert [batch.size for batch in batches] == [2, 2, 1]
        rows = np.concatenate([np.unique(batch.features) for batch in batches])
        assert sorted(rows) == [0, 1, 2, 3, 4]
        orders.append(tuple(np.concatenate([batch.features[:, 0] for batch in batches])))
    assert len(set(orders)) == 4


def test_copies_of_a_sample_count_as_much_as_one_that_is_there_once() -> None:
    [batch] = Mixture(7, 0, 4).epoch(OWN, None, np.random.default_rng(0))
    assert batch.features.dtype == batch.labels.dtype == np.float32
    for number, label in zip(OWN.features, OWN.labels, strict=True):
        rows = (batch.features == number).all(axis=1)
        expected = np.eye(4)[label]
        np.testing.assert_allclose(batch.labels[rows].sum(axis=0), expected, rtol=1e-6)
    assert (np.count_nonzero(batch.labels, axis=1) == 1).all()


@pytest.mark.parametrize("own, replayed", [(4, 4), (6, 2), (2, 6), (8, 8)])
def test_the_share_of_the_package_is_the_same_in_every_batch(own: int, replayed: int) -> None:
    for batch in Mixture(own, replayed, 4).epoch(OWN, REPLAY, np.random.default_rng(0)):
        assert batch.features.shape == (own + replayed, 1)
        weights, shipped = batch.labels.sum(axis=1), batch.features[:, 0] >= 100
        assert shipped.sum() == replayed
        assert weights[~shipped].sum() == pytest.approx(batch.size)
        assert weights[shipped].sum() / weights.sum() == pytest.approx(replayed / (own + replayed))


def test_classes_of_the_package_are_drawn_alike_with_their_own_labels() -> None:
    counts = np.zeros(4, int)
    for batch in Mixture(1, 5, 4).epoch(OWN, REPLAY, np.random.default_rng(0)):
        rows = batch.features[:, 0] >= 100
        numbers, labels = batch.features[rows, 0], batch.labels[rows].argmax(axis=1)
        assert (REPLAY.labels[numbers.astype(int) - 100] == labels).all()
        counts += np.bincount(labels, minlength=4)
    assert sorted(counts) == [0, 8, 8, 9]
    assert counts[3] == 0
