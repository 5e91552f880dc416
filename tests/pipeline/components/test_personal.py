"""The Personalizer and People: a package of what was trained, and what people gain of it."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, TransformGraph

from data.splits import Split
from modules.inference.personal import manifest
from modules.inference.personal.client import PersonalModel
from modules.training.config import TrainConfig
from modules.training.job import TrainingJob
from pipeline.components.artifacts import PersonalEvaluation
from pipeline.components.people import People
from pipeline.components.personalizer import Personalizer
from pipeline.verdict import refusals
from pipeline.verdict.personal import judged
from pipeline.verdict.personal.limits import PersonalLimits
from tests.pipeline.components.generated import write_examples
from tests.support.digit_models import DigitModels

LENIENT = PersonalLimits(
    people=2, min_gain=-1, max_loss=1, max_forgotten=1, min_new_symbols=0, max_step_us=1e9
)


def examples_of(digit_models: DigitModels, folder: Path, split: Split, count: int) -> Examples:
    examples = Examples()
    examples.uri, examples.splits = str(folder), [split]
    place = Path(examples.path(split=split))
    place.mkdir(parents=True)
    write_examples(digit_models.files, 0, count, split, str(place / "shard.gz"))
    return examples


def at(kind: type[Artifact], path: Path) -> Artifact:
    artifact = kind()
    artifact.uri = str(path)
    return artifact


@pytest.mark.parametrize("head", ["softmax", "last:1"])
def test_a_package_of_what_was_trained(
    digit_models: DigitModels, tmp_path: Path, head: str
) -> None:
    graph = digit_models.tft_output.transform_savedmodel_dir.removesuffix("/transform_fn")
    inputs = {
        "examples": [examples_of(digit_models, tmp_path / "examples", Split.TRAIN, 200)],
        "transform_graph": [at(TransformGraph, Path(graph))],
        "model": [at(Model, Path(digit_models.server_dir).parent)],
    }
    job = TrainingJob(digit_models.files.task, "cnn", TrainConfig())
    parameters = {"job": json.dumps(job.to_config()), "head": head, "optimizer": "sgd"}
    made = at(Model, tmp_path / "made")
    executor = Personalizer.EXECUTOR_SPEC.executor_class()
    executor.Do(inputs, {"personal_model": [made]}, parameters)
    assert refusals.read(made.uri) is None
    about = manifest.read(tmp_path / "made" / "Format-Serving")
    assert (about.head, about.model) == (head, "cnn")
    assert about.num_classes == (15 if head == "softmax" else 10)
    PersonalModel(tmp_path / "made" / "Format-Serving")


def test_what_cannot_be_made_is_refused(digit_models: DigitModels, tmp_path: Path) -> None:
    graph = digit_models.tft_output.transform_savedmodel_dir.removesuffix("/transform_fn")
    inputs = {
        "examples": [examples_of(digit_models, tmp_path / "examples", Split.TRAIN, 50)],
        "transform_graph": [at(TransformGraph, Path(graph))],
        "model": [at(Model, Path(digit_models.server_dir).parent)],
    }
    job = TrainingJob(digit_models.files.task, "cnn", TrainConfig())
    parameters = {"job": json.dumps(job.to_config()), "head": "last:9", "optimizer": "sgd"}
    made = at(Model, tmp_path / "made")
    Personalizer.EXECUTOR_SPEC.executor_class().Do(inputs, {"personal_model": [made]}, parameters)
    assert "the network cannot be cut there: it has 4 layers" in refusals.read(made.uri)


@pytest.fixture
def people(digit_models: DigitModels, tmp_path: Path):
    """Runs the component on a copy of a package; returns what it says, and the blessing."""
    model = at(Model, tmp_path / "model")
    shutil.copytree(digit_models.personal_package, tmp_path / "model" / "Format-Serving")
    inputs = {
        "examples": [examples_of(digit_models, tmp_path / "examples", Split.EVAL, 300)],
        "personal_model": [model],
    }

    def run(limits: PersonalLimits) -> tuple[judged.Personal, ModelBlessing]:
        told = at(PersonalEvaluation, tmp_path / "told")
        blessing = at(ModelBlessing, tmp_path / "blessing")
        parameters = {
            "head": "softmax",
            "optimizer": "sgd",
            "limits": json.dumps(dataclasses.asdict(limits)),
        }
        executor = People.EXECUTOR_SPEC.executor_class()
        executor.Do(inputs, {"evaluation": [told], "blessing": [blessing]}, parameters)
        return judged.read(tmp_path / "told"), blessing

    return model, run


def test_people_decide(people) -> None:
    _, run = people
    told, blessing = run(LENIENT)
    assert told.people == 2 and told.blessed and told.refused is None
    assert list(told.after) == list(told.plain) == [5, 20, 50, 100]
    assert told.after[50] > told.before and told.bytes > 1000 and told.step_us > 0
    assert blessing.get_int_custom_property("blessed") == 1
    strict = dataclasses.replace(LENIENT, max_step_us=0.001)
    told, blessing = run(strict)
    assert [check.name for check in told.checks if not check.passed] == ["max_step_us"]
    assert not told.blessed and blessing.get_int_custom_property("blessed") == 0


def test_what_is_refused_or_damaged_is_not_blessed(people) -> None:
    model, run = people
    file = Path(model.uri) / "Format-Serving" / "personal.tflite"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    told, blessing = run(LENIENT)
    assert "is damaged" in told.refused and not told.blessed
    refusals.write(model.uri, "there is no kernel")
    told, blessing = run(LENIENT)
    assert told.refused == "there is no kernel"
    assert blessing.get_int_custom_property("blessed") == 0
