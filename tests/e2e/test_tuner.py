"""A run whose Trainer takes the hyperparameters that a search before it found.

Its models are too poor to be pushed.
"""

import dataclasses
import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow_transform as tft

from data.cache import IN_PROJECT
from data.errors import NOT_BLESSED
from data.resolve import resolve_dataset
from modules import tuner
from modules.examples import tf_examples
from modules.examples.images import Images
from modules.models import cnn
from modules.models.network import Network
from modules.training import loop
from modules.training.config import TrainConfig
from modules.training.saved.variables import load_variables
from pipeline import local_runner
from pipeline.config import PipelineConfig
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from tests.e2e.support.in_process import called
from tests.support.machine import environment

# A learning rate too low for one epoch, so that the trial with a higher one is better; the second
# trial of this seed has one.
SLOW = TrainConfig(epochs=1, learning_rate=0.0005, seed=2)


def outputs(config: PipelineConfig, node: str) -> dict[str, Path]:
    """The folders of the last run's output artifacts of a node, by their keys."""
    store = open_store(config.metadata_location)
    execution = runs.run_executions(store, config.pipeline_name)[node]
    return {key: Path(made.uri) for key, made in runs.output_artifacts(store, execution).items()}


def trained_on(config: PipelineConfig) -> tuple[Images, np.ndarray]:
    """The normalised images and the labels that the Trainer had."""
    split = outputs(config, "FileBasedExampleGen")["examples"] / "Split-train"
    raw_images, labels = tf_examples.load_raw([str(split / "*")])
    graph = tft.TFTransformOutput(str(outputs(config, "Transform")["transform_graph"]))
    return raw_images.then(tf_examples.normalizer(graph)), labels


def lines_of(node: str, shown: str) -> list[str]:
    """What a run showed between the two lines of a node."""
    [between] = re.findall(rf"^\[.*\] {node} +\n([^\[]*)\[.*\] {node} .* s$", shown, re.MULTILINE)
    return between.splitlines()


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A finished run."""

    config: PipelineConfig
    status: int
    text: str


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """The run; one slow epoch is not enough for a model that may ship."""
    digits = resolve_dataset("digits", None, IN_PROJECT)
    output = tmp_path_factory.mktemp("tuned")
    return run(PipelineConfig(digits, output, SLOW, recipes=("int8",), tuner_trials=2))


def run(config: PipelineConfig) -> Tuned:
    done = called(lambda: local_runner.run(config), environment())
    return Tuned(config, done.returncode, done.stdout)


def test_trainer_trains_with_the_best_of_the_trials(tuned: Tuned) -> None:
    assert tuned.status == NOT_BLESSED, tuned.text
    results = json.loads(
        (outputs(tuned.config, "Tuner")["tuner_results"] / "tuner_results.json").read_text()
    )
    best, other = sorted(results, key=lambda trial: trial["score"])
    values = {key: value for key, value in best.items() if key not in ("score", "trial_id")}
    assert best["score"] < other["score"] and best["trial_id"] == "1"
    assert values["learning_rate"] > SLOW.learning_rate == other["learning_rate"]

    # The lines of the Tuner and of the Trainer, and nothing of KerasTuner's own.
    first, second = lines_of("Tuner", tuned.text)
    own = {name: getattr(SLOW, name) for name in values}
    assert first.startswith(f"  trial 1/2: {tuner.described(own)}: validation loss ")
    assert second.startswith(f"  trial 2/2: {tuner.described(values)}: validation loss ")
    chosen = f"  hyperparameters of the best trial: {tuner.described(values)}"
    assert lines_of("Trainer", tuned.text)[0] == chosen

    network = Network(cnn.MODEL, tuned.config.dataset.task)
    trained = loop.train(network, *trained_on(tuned.config), tuner.tuned(SLOW, values))
    found = load_variables(outputs(tuned.config, "Trainer")["model"], network.shapes())
    jax.tree.map(np.testing.assert_array_equal, found, trained.variables)

    page = (tuned.config.report_dir / "index.html").read_text()
    assert "TRIALS=2" in page and ">Tuner<" in page
    kept = [path for path in Path(tuned.config.pipeline_root, "Tuner").rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {"best_hyperparameters.txt", "tuner_results.json"}


def test_both_are_cached(tuned: Tuned) -> None:
    again = run(tuned.config)
    assert again.status == NOT_BLESSED
    cached = re.findall(r"^\[ *\d+/\d+\] (\S+) +cached$", again.text, flags=re.MULTILINE)
    assert {"Tuner", "Trainer", "Report"} <= set(cached)
    assert "trial " not in again.text


def test_below_the_threshold_nothing_is_pushed(tuned: Tuned) -> None:
    assert tuned.status == NOT_BLESSED, tuned.text
    output = tuned.config.output
    assert not [*output.glob("serving/*"), *output.glob("device/*")]
    assert "failed min_accuracy" in tuned.text
    comparison = json.loads((tuned.config.report_dir / "comparison.json").read_text())
    assert {model["name"]: model["pushed_to"] for model in comparison["models"]} == {
        "saved_model": None,
        "int8": None,
    }
