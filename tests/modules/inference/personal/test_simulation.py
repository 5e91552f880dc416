"""People who teach a model: what they gain, what it forgets, and that all learn from the same."""

import numpy as np
import pytest

from data.splits import Split
from modules.inference.personal import simulation
from modules.inference.personal.simulation import Images, Predict
from tests.support.digit_models import DigitModels

SEEDS = (2000, 2001, 2002)
FEW = {"samples": (20, 60), "held_out": 80, "plain": 80}


@pytest.fixture(scope="module")
def images(digit_models: DigitModels) -> Images:
    raw, labels = digit_models.files.features(Split.EVAL)
    return Images.split(raw.reshape(-1, 28, 28, 1), labels, 10)


def test_people_gain_and_replay_keeps_what_was_known(
    digit_models: DigitModels, images: Images
) -> None:
    package = digit_models.personal_package
    learn = simulation.personal_model(package)
    result = simulation.simulate(learn, images, SEEDS, new_symbols=True, **FEW)
    low = result.gains(60, below=0.95)
    assert len(low)
    assert low.mean() > 0.03
    assert result.gains(60).mean() > result.gains(20).mean()
    assert all(each.accuracy > 0.5 for each in result.symbols)
    alone = simulation.personal_model(package, replay_share=0)
    without = simulation.simulate(alone, images, SEEDS, new_symbols=True, **FEW)
    assert without.plain_before == result.plain_before
    cost = [np.mean([each.plain for each in run.symbols]) for run in (result, without)]
    assert cost[0] > cost[1] + 0.05


def test_all_learners_see_the_same_images(images: Images) -> None:
    seen: list[list[np.ndarray]] = []

    def learn(given: np.ndarray, labels: np.ndarray) -> Predict:
        seen[-1].extend([given, labels])

        def predict(tested: np.ndarray) -> np.ndarray:
            seen[-1].append(tested)
            return np.zeros(len(tested))

        return predict

    results = []
    for _ in range(2):
        seen.append([])
        results.append(simulation.simulate(learn, images, SEEDS[:2], new_symbols=True, **FEW))
    assert results[0] == results[1]
    for first, second in zip(*seen, strict=True):
        np.testing.assert_array_equal(first, second)
    labels = [each for each in seen[0] if each.ndim == 1 and len(each) == 20]
    assert all((np.bincount(each) == 2).all() for each in labels)


def test_the_numbers_of_samples_change_nothing_else(images: Images) -> None:
    def learn(given: np.ndarray, labels: np.ndarray) -> Predict:
        return lambda tested: np.rint(9 * tested.mean(axis=(1, 2, 3)))

    first, second = (
        simulation.simulate(learn, images, SEEDS, samples=samples, held_out=80, plain=10)
        for samples in ([5], [20, 50])
    )
    before = [each.before for each in first.outcomes]
    assert before == [each.before for each in second.outcomes]
    assert len(set(before)) > 1


def test_what_is_tested_is_not_what_was_learnt(images: Images) -> None:
    pool = {image.tobytes() for image in images.pool}
    assert not pool & {image.tobytes() for image in images.held_out}
