"""The command in the report repeats the run: all that shapes its result is in it."""

import dataclasses
import shlex

import pytest

from data.catalogue import CATALOGUE
from pipeline.report import repeating
from pipeline.settings import SETTINGS
from pipeline.verdict.checks import Check
from pipeline.verdict.origin import Dataset
from tests.support.report.report_pages import SIX, model, verdict

# Where things are and by what they are run; the same models come of any.
PLACES = {
    *("MNIST_DIR", "DATA_CACHE", "OUTPUT", "METADATA", "PIPELINE_NAME", "PIPELINE_ROOT"),
    *("PUSH_TO", "STAGE_BEAM", "BEAM_RUNNER", "BEAM_ARGS"),
    "PERSONALIZE",  # makes one more, of the same
    *("RUNTIMES", "PARITY_IMAGES"),  # which of them ship, and where: not what they are
}
FOUND = verdict(*map(model, SIX))
LIMIT = next(check.limit for check in FOUND.models[0].checks if check.name == "min_accuracy")


def limited(limit: float) -> tuple:
    """The models with another limit on the reference's accuracy."""
    return (model("saved_model", checks=(Check("min_accuracy", 1, limit),)), *FOUND.models[1:])


def test_defaults_are_left_out() -> None:
    assert repeating.command(FOUND) == "make run DATASET=mnist EPOCHS=4 SEED=3"


def test_every_setting_that_shapes_a_result_is_there() -> None:
    timed = (Check("max_latency_us", 90.5, 120.5),)
    found = dataclasses.replace(
        FOUND,
        dataset=Dataset("my data-20x30", 10, 10, (20, 30)),
        models=(*limited(0.485)[:2], model("float16", checks=timed)),
        model="/home/me/own net.py",
        params="/home/me/trained",
        batch_sizes=(1, 16),
        trials=10,
    )
    command, run, *settings = shlex.split(repeating.command(found))
    assert (command, run) == ("make", "run")
    given = dict(setting.split("=", 1) for setting in settings)
    assert given == {
        "DATASET": "<folder of my data>",
        "IMAGE_SIZE": "20x30",
        "MODEL": "/home/me/own net.py",
        "PARAMS": "/home/me/trained",
        "BATCH_SIZES": "1,16",
        "EPOCHS": "4",
        "SEED": "3",
        "TRIALS": "10",
        "MIN_ACCURACY": "0.485",
        "MAX_LATENCY_US": "120.5",
        "RECIPES": "float32,float16",
    }
    assert given.keys() == set(SETTINGS) - PLACES


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_least_accuracy_is_that_of_the_data_set_or_named(name: str) -> None:
    own = CATALOGUE[name].task.min_accuracy
    for dataset in (Dataset(name, 10, 10, None), Dataset(f"{name}-32x32", 10, 10, (32, 32))):
        for limit in (own, LIMIT, 0.5):
            found = dataclasses.replace(FOUND, dataset=dataset, models=limited(limit))
            named = f"MIN_ACCURACY={limit}" in shlex.split(repeating.command(found))
            assert named == (limit != own)


def test_of_data_of_ones_own_it_is_always_named() -> None:
    """A folder may hold the files of a known data set, whose limit it then has."""
    found = dataclasses.replace(FOUND, dataset=Dataset("mine", 10, 10, None))
    assert f"MIN_ACCURACY={LIMIT}" in repeating.command(found)
