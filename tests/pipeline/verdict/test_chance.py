"""What chance alone does to counts of images."""

import numpy as np
import pytest

from pipeline.verdict import chance


@pytest.mark.parametrize(
    ("right", "images", "expected"),
    [
        (0, 10, (0.0, 0.2775)),  # as published of Wilson's interval
        (10, 10, (0.7225, 1.0)),
        (9900, 10_000, (0.98786, 0.99178)),
        (1, 1, (0.2065, 1.0)),
    ],
)
def test_interval_of_an_accuracy(right: int, images: int, expected: tuple[float, float]) -> None:
    assert chance.accuracy_interval(right, images) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("lost", "gained", "expected"),
    [(0, 0, 1), (0, 7, 1), (1, 0, 1 / 2), (5, 0, 1 / 32), (5, 1, 7 / 64), (4, 4, 163 / 256)],
)
def test_chance_of_losing_is_that_of_a_coin(lost: int, gained: int, expected: float) -> None:
    assert chance.of_losing(lost, gained) == pytest.approx(expected)


def test_chance_of_missing_is_that_of_drawing_them() -> None:
    assert chance.of_missing(0, 10, 0.001) == chance.of_missing(1, 10, 0.001) == 1
    assert chance.of_missing(2, 10, 0.1) == pytest.approx(1 - 0.9**10 - 0.9**9)
    assert chance.of_missing(2, 10, 0.0) == 0


@pytest.mark.parametrize(
    ("images", "share", "expected"),
    [(1, 0.001, 1), (10, 0.001, 1), (364, 0.001, 2), (364, 0.005, 4), (30, 0.03, 3), (5, 1.0, 5)],
)
def test_most_that_may_be_missed(images: int, share: float, expected: int) -> None:
    assert chance.most_missed(images, share, 0.05) == expected
    assert chance.of_missing(expected, images, share) > 0.05
    assert expected == images or chance.of_missing(expected + 1, images, share) <= 0.05


@pytest.mark.filterwarnings("error")
def test_chance_of_a_mean_depends_on_its_spread() -> None:
    one_of_thirty = np.eye(30)[0]
    assert chance.of_mean(one_of_thirty) == pytest.approx(0.3256, abs=1e-4)
    assert chance.of_mean(one_of_thirty + 1) < 1e-20
    assert chance.of_mean(np.array([-1.0, 1.0])) == 1
    assert chance.of_mean(np.array([0.5])) == 1
    assert chance.of_mean(np.full(5, 0.5)) == 0
    assert chance.of_mean(np.zeros(5)) == 1
