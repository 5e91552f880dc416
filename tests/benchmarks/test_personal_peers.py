"""The peers of a personal model, on the images that it learns from."""

import numpy as np
import pytest

from benchmarks.peers import personal_peers
from data.splits import Split
from modules.export.personalize import bases
from modules.inference.personal import simulation
from modules.inference.personal.simulation import Images
from tests.support.digit_models import NUM_IMAGES, DigitModels

SEEDS = (2000, 2001)


@pytest.fixture(scope="module")
def images(digit_models: DigitModels) -> Images:
    raw, labels = digit_models.files.features(Split.EVAL)
    return Images.split(raw.reshape(-1, 28, 28, 1), labels, 10)


def shipped(digit_models: DigitModels) -> tuple[np.ndarray, np.ndarray]:
    return digit_models.images, digit_models.files.features(Split.TRAIN, 0, NUM_IMAGES)[1]


def test_means_of_classes_learn_people_and_symbols(
    digit_models: DigitModels, images: Images
) -> None:
    learn = personal_peers.nearest_class_mean(digit_models.personal_package, *shipped(digit_models))
    result = simulation.simulate(
        learn, images, SEEDS, samples=[60], held_out=80, plain=80, new_symbols=True
    )
    assert result.plain_before > 0.7
    assert result.gains(60).mean() > 0
    assert all(each.accuracy > 0.6 for each in result.symbols)


def test_the_whole_network_is_trained_on_a_person(
    tmp_path, digit_models: DigitModels, images: Images
) -> None:
    whole = bases.of_network(digit_models.trained, bases.ALL, str(tmp_path))
    learn = personal_peers.full_retraining(whole, digit_models.network, *shipped(digit_models), 15)
    result = simulation.simulate(learn, images, SEEDS, samples=[60], held_out=60, plain=60)
    assert result.gains(60).mean() > 0
    assert result.forgotten(60).mean() < 0.05
