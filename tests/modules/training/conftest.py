"""Small trainings that several files look at."""

import pytest

from modules.training import loop
from tests.modules.training.small_training import (
    FOUR_STEPS,
    HALVES,
    SMALL,
    Data,
    make_few,
    make_halves,
)


@pytest.fixture(scope="session")
def halves() -> Data:
    """200 images that are easy to tell apart."""
    return make_halves()


@pytest.fixture(scope="session")
def small_result(halves: Data) -> loop.TrainResult:
    """What SMALL makes of `halves`."""
    return loop.train(HALVES, *halves, SMALL)


@pytest.fixture(scope="session")
def four_steps() -> loop.TrainResult:
    """What FOUR_STEPS makes of `make_few`."""
    return loop.train(HALVES, *make_few(), FOUR_STEPS)
