"""As many of each class at most, all with the same chance, also after a restart."""

import numpy as np

from modules.inference.personal.reservoir import Reservoir


def numbered(number: int) -> np.ndarray:
    return np.array([number], np.float32)


def test_what_was_added_is_there_class_by_class() -> None:
    reservoir = Reservoir(1, 3, per_class=2)
    assert reservoir.samples().features.shape == (0, 1)
    for number, label in enumerate([2, 0, 2]):
        reservoir.add(numbered(number), label)
    samples = reservoir.samples()
    assert samples.features[:, 0].tolist() == [1, 0, 2]
    assert samples.labels.tolist() == [0, 2, 2]
    assert (samples.features.dtype, samples.labels.dtype) == (np.float32, np.int32)
    assert reservoir.seen.tolist() == [1, 0, 2]


def test_a_class_has_no_more_than_its_place_and_the_others_keep_theirs() -> None:
    reservoir = Reservoir(1, 2, per_class=3)
    reservoir.add(numbered(-1), 1)
    for number in range(100):
        reservoir.add(numbered(number), 0)
    assert reservoir.samples().labels.tolist() == [0, 0, 0, 1]
    assert reservoir.samples().features[3] == -1


def test_each_has_the_same_chance_to_stay() -> None:
    """5 of 20 stay: 250 times of 1,000 expected, and 14 its standard deviation."""
    stayed = np.zeros(20, int)
    for seed in range(1000):
        reservoir = Reservoir(1, 1, per_class=5, seed=seed)
        for number in range(20):
            reservoir.add(numbered(number), 0)
        stayed[reservoir.samples().features[:, 0].astype(int)] += 1
    assert np.abs(stayed - 250).max() < 4 * 14


def test_a_restored_one_goes_on_as_it_would_have() -> None:
    one, other = Reservoir(1, 2, per_class=4), Reservoir(1, 2, per_class=4)
    for number in range(30):
        one.add(numbered(number), number % 2)
    other.restore(one.samples(), one.seen)
    for reservoir in (one, other):
        for number in range(30, 200):
            reservoir.add(numbered(number), number % 2)
    assert other.samples().features.tolist() == one.samples().features.tolist()
    assert other.seen.tolist() == one.seen.tolist() == [100, 100]


def test_a_smaller_one_takes_what_it_has_room_for() -> None:
    large, small = Reservoir(1, 2, per_class=6), Reservoir(1, 2, per_class=2)
    for number in range(6):
        large.add(numbered(number), 1)
    small.restore(large.samples(), large.seen)
    small.add(numbered(9), 1)
    assert len(small.samples()) == 2
    assert small.seen.tolist() == [0, 7]
