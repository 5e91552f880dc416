"""The search: what it tries, what it takes for the best, what it says, and how it fails."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable
from pathlib import Path

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from data.task import Task
from modules import run_fn, tuner
from modules.training import divergence, loop
from modules.training.config import TrainConfig
from modules.training.job import TrainingJob
from tests.modules.training.small_training import HALVES, Data, make_halves
from tests.support.digit_models import DigitModels

CONFIG = TrainConfig(epochs=1, batch_size=16, learning_rate=0.02)
TRIALS = 3


@pytest.fixture(scope="module")
def halves() -> Data:
    return make_halves()


def searched(
    arrays: Data,
    folder: Path,
    config: TrainConfig = CONFIG,
    trials: int = TRIALS,
    space: keras_tuner.HyperParameters | None = None,
) -> tuner.Search:
    """Does with a search what TFX's Tuner does."""
    space = space or tuner.search_space(config, arrays[1])
    search = tuner.Search(HALVES, config, space, trials, str(folder))
    search.search_space_summary()
    search.search(images=arrays[0], labels=arrays[1])
    search.results_summary()
    return search


def tried(search: tuner.Search) -> list[tuple[dict[str, float], float]]:
    """The values and the score of every trial."""
    return [(trial.hyperparameters.values, trial.score) for trial in search.oracle.trials.values()]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A search, all that it printed, and the two folders that it could have written to."""

    search: tuner.Search
    printed: str
    working_dir: Path
    current_dir: Path


@pytest.fixture(scope="module")
def seen(halves: Data, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    work, here = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("here")
    printed = io.StringIO()
    with (
        contextlib.chdir(here),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        search = searched(halves, work)
    return Seen(search, printed.getvalue(), work, here)


@pytest.fixture(scope="module")
def search(seen: Seen) -> tuner.Search:
    return seen.search


@pytest.mark.parametrize("config", [CONFIG, TrainConfig(), TrainConfig(momentum=0.0)])
def test_space_lies_around_the_fields_of_the_config(config: TrainConfig) -> None:
    space = tuner.search_space(config, np.zeros(1000, int))
    assert tuner.tuned(config, space.values) == config
    for parameter in space.space:
        assert 0 <= parameter.value_to_prob(getattr(config, parameter.name)) <= 1
        assert len(set(parameter.values)) > 3
    names = [parameter.name for parameter in space.space]
    assert names == ["learning_rate", "batch_size", "momentum"]


def test_no_batch_is_larger_than_what_is_trained_on() -> None:
    def sizes(examples: int) -> list[int]:
        return tuner.search_space(CONFIG, np.zeros(examples, int)).space[1].values

    assert sizes(1000) == [8, 16, 32, 64]
    assert sizes(50) == [8, 16, 32]  # two are held out
    assert sizes(17) == [8, 16]
    assert sizes(5) == [4]  # one batch of all
    with pytest.raises(ValueError, match="1 training examples are too few"):
        sizes(1)


def test_tuned_replaces_fields_and_refuses_unknown_ones() -> None:
    values = {"learning_rate": 0.5, "batch_size": 64}
    assert tuner.tuned(CONFIG, values) == dataclasses.replace(CONFIG, **values)
    with pytest.raises(ValueError, match="no hyperparameter 'rate'; expected .* learning_rate,"):
        tuner.tuned(CONFIG, {"batch_size": 64, "rate": 0.5})


def test_trainer_refuses_unknown_hyperparameters_before_it_reads_data() -> None:
    custom_config = TrainingJob(HALVES.task, "cnn", CONFIG).to_config()
    hyperparameters = {"space": [], "values": {"rate": 0.5}}
    with pytest.raises(ValueError, match="no hyperparameter 'rate'"):
        run_fn.run_fn(FnArgs(custom_config=custom_config, hyperparameters=hyperparameters))


def test_values_are_described_in_one_line() -> None:
    values = {"learning_rate": 0.0123456, "batch_size": 128, "momentum": 0.9}
    assert tuner.described(values) == "learning_rate 0.01235, batch_size 128, momentum 0.9"


def test_config_comes_first_and_the_best_has_the_lowest_loss(search: tuner.Search) -> None:
    values, scores = zip(*tried(search), strict=True)
    assert len(values) == TRIALS
    assert tuner.tuned(CONFIG, values[0]) == CONFIG
    assert all(len({trial[name] for trial in values}) > 1 for name in values[0])
    [best] = search.get_best_hyperparameters()
    assert len(set(scores)) == TRIALS
    assert best.values == values[int(np.argmin(scores))]


def test_score_is_the_validation_loss_of_our_training(search: tuner.Search, halves: Data) -> None:
    values, score = tried(search)[1]
    result = loop.train(HALVES, *halves, tuner.tuned(CONFIG, values))
    assert score == result.history[-1].validation_loss


def test_same_seed_same_trials(search: tuner.Search, halves: Data, tmp_path: Path) -> None:
    """The seed is 0, which KerasTuner would replace by one of its own."""
    assert CONFIG.seed == 0
    assert tried(searched(halves, tmp_path, trials=2)) == tried(search)[:2]


def untrained(folder: Path, seed: int, trials: int) -> tuner.Search:
    """A search whose trials are not trained; they score as low as their learning rate is."""
    config = dataclasses.replace(CONFIG, seed=seed)
    space = tuner.search_space(config, np.zeros(200, int))
    search = tuner.Search(HALVES, config, space, trials, str(folder))
    search.run_trial = lambda trial: trial.hyperparameters.values["learning_rate"]
    search.search()
    return search


def test_other_seed_other_trials(tmp_path: Path) -> None:
    one, same, other = (tried(untrained(tmp_path, seed, trials=3)) for seed in (1, 1, 2))
    assert one == same
    assert one[0] == other[0] and one[1] != other[1] and one[2] != other[2]


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_every_seed_is_good_for_points_chosen_by_a_model(tmp_path: Path, seed: int) -> None:
    """From the tenth on, numpy and scikit-learn take the seed, and are choosier than Python."""
    search = untrained(tmp_path, seed, trials=11)
    values = [tuple(values.values()) for values, _ in tried(search)]
    assert len(set(values)) == 11
    for name, value in tried(search)[-1][0].items():
        assert isinstance(value, type(getattr(CONFIG, name)))


def test_one_line_a_trial_and_files_in_the_working_folder_only(seen: Seen) -> None:
    lines = seen.printed.splitlines()
    trials = tried(seen.search)
    for number, (line, (values, score)) in enumerate(zip(lines, trials, strict=True), 1):
        described = re.escape(tuner.described(values))
        assert re.fullmatch(
            rf"  trial {number}/3: {described}: validation loss {score:.4f}, "
            r"accuracy [\d.]+%, [\d.]+ s",
            line,
        )
    assert list(seen.current_dir.iterdir()) == []
    assert {path.suffix for path in seen.working_dir.rglob("*") if path.is_file()} == {".json"}


def choice(name: str, *values: float) -> keras_tuner.HyperParameters:
    """A space of some values, the first of which is tried first."""
    space = keras_tuner.HyperParameters()
    space.Choice(name, list(values), default=values[0])
    return space


def test_diverged_trial_counts_as_guessing(
    halves: Data, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    search = searched(halves, tmp_path, trials=2, space=choice("learning_rate", 1e9, 0.03))
    (_, diverged), (_, trained) = tried(search)
    assert diverged == pytest.approx(np.log(2)) and trained < diverged
    assert search.get_best_hyperparameters()[0].values == {"learning_rate": 0.03}
    shown = capfd.readouterr()
    first, second = shown.out.splitlines()
    assert re.fullmatch(r"  trial 1/2: learning_rate 1e\+09: diverged, [\d.]+ s", first)
    assert "trial 2/2: learning_rate 0.03: validation loss" in second and shown.err == ""


def test_when_all_diverge_there_is_no_best(halves: Data, tmp_path: Path) -> None:
    with pytest.raises(divergence.TrainingDivergedError, match=r"every trial \(1\); .*now 0.02\)"):
        searched(halves, tmp_path, trials=1, space=choice("learning_rate", 1e9))


def test_other_failure_ends_the_search(
    halves: Data, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    with pytest.raises(tuner.TrialError, match="^trial 1/3: colour 1: ValueError: .* 'colour'"):
        searched(halves, tmp_path, space=choice("colour", 1, 2, 3))
    assert capfd.readouterr() == ("", "")


def test_tuner_fn_searches_on_the_normalised_train_split(
    images: np.ndarray,
    tft_output: tft.TFTransformOutput,
    digit_models: DigitModels,
    serialize: Callable[[np.ndarray, int | None], bytes],
    tmp_path: Path,
) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "train"), "GZIP") as writer:
        for label, image in enumerate(images[:60]):
            writer.write(serialize(image, label % 10))
    task = Task("digits", (28, 28, 1), tuple("0123456789"))
    job = TrainingJob(task, "mlp", TrainConfig(epochs=2, batch_size=20))
    result = tuner.tuner_fn(
        FnArgs(
            train_files=[str(tmp_path / "train")],
            eval_files=["/no/such/file"],  # the test set, on which nothing is chosen
            transform_graph_path=tft_output._transform_output_dir,
            working_dir=str(tmp_path / "work"),
            custom_config={**job.to_config(), "trials": 7},
        )
    )
    found, labels = result.fit_kwargs["images"][:], result.fit_kwargs["labels"]
    assert labels.shape == (60,)
    order = np.lexsort(found.T), np.lexsort(digit_models.normalized[:60].T)
    np.testing.assert_allclose(
        found[order[0]], digit_models.normalized[:60][order[1]], rtol=1e-4, atol=1e-4
    )
    assert result.tuner.oracle.max_trials == 7
    space = result.tuner.oracle.get_space()
    assert tuner.tuned(job.train, space.values) == job.train
    assert max(space.space[1].values) == 40  # of 60, some are held out
