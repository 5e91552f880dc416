"""Simulated people: each writes in one way."""

import numpy as np
import pytest

from modules.inference.personal import people
from modules.inference.personal.people import Person
from tests.support.digit_models import DigitModels

PLAIN = {"slant": 0.0, "thickness": 0.0, "shift": (0, 0), "noise": 0.0, "seed": 0}


@pytest.fixture
def images(digit_models: DigitModels) -> np.ndarray:
    return digit_models.images[:5].reshape(5, 28, 28, 1)


def test_a_person_is_the_same_by_seed_and_so_is_what_they_write(images: np.ndarray) -> None:
    first, second = people.draw(3), people.draw(4)
    assert first == people.draw(3) != second
    written = first.writes(images)
    assert (written.dtype, written.shape) == (np.float32, images.shape)
    assert written.min() >= 0
    assert written.max() <= 1
    np.testing.assert_array_equal(first.writes(images[2:]), written[2:])
    assert np.abs(written - second.writes(images)).max() > 0.1


def test_who_writes_as_everybody_does_changes_nothing(images: np.ndarray) -> None:
    plain = Person(**PLAIN)
    np.testing.assert_allclose(plain.writes(images), images, atol=1e-6)
    integers = np.rint(images * 255).astype(np.uint8)
    np.testing.assert_allclose(plain.writes(integers), images, atol=1e-6)


def test_each_habit_does_what_its_name_says() -> None:
    line = np.zeros((1, 29, 29, 1), np.float32)
    line[0, 8:21, 14] = 1
    leaning = Person(**PLAIN | {"slant": 0.5}).writes(line)[0, :, :, 0]
    assert leaning[10].argmax() == 16
    assert leaning[18].argmax() == 12
    assert Person(**PLAIN | {"thickness": 1.0}).writes(line).sum() > 2.5 * line.sum()
    thin = Person(**PLAIN | {"thickness": -0.5}).writes(line)
    assert thin.sum() == pytest.approx(line.sum() / 2)
    moved = Person(**PLAIN | {"shift": (2, -3)}).writes(line)
    np.testing.assert_allclose(moved, np.roll(line, (2, -3), axis=(1, 2)))
    noisy = Person(**PLAIN | {"noise": 0.1}).writes(line + 0.5 * (line == 0))
    assert noisy[line == 0].std() == pytest.approx(0.1, rel=0.1)
