"""The pipeline's graph: with a search before the training, and without."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tfx.components.util import udf_utils
from tfx.orchestration.pipeline import Pipeline

from modules import tuner
from modules.training.config import TrainConfig
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.report.pipeline_graph import stages
from tests.support.digit_models import DigitModels

TRAIN = TrainConfig(epochs=8, batch_size=16, seed=5)


def created(digit_models: DigitModels, tmp_path: Path, **changes: Any) -> Pipeline:
    fields = {"train": TRAIN, "recipes": ("float32",)} | changes
    return create_pipeline(PipelineConfig(digit_models.files, tmp_path, **fields))


def node(pipeline: Pipeline, node_id: str) -> Any:
    [found] = [component for component in pipeline.components if component.id == node_id]
    return found


def settings(pipeline: Pipeline, node_id: str) -> dict[str, Any]:
    return json.loads(node(pipeline, node_id).exec_properties["custom_config"])


def graph(pipeline: Pipeline) -> dict[str, list[str]]:
    """The graph that the report draws."""
    return json.loads(node(pipeline, "Report").exec_properties["graph"])


def test_without_trials_there_is_no_search(digit_models: DigitModels, tmp_path: Path) -> None:
    pipeline = created(digit_models, tmp_path)
    assert "Tuner" not in [component.id for component in pipeline.components]
    assert "hyperparameters" not in node(pipeline, "Trainer").inputs
    assert "Tuner" not in graph(pipeline)


def test_trainer_takes_what_the_tuner_finds(digit_models: DigitModels, tmp_path: Path) -> None:
    pipeline = created(digit_models, tmp_path, tuner_trials=5)
    search, trainer = node(pipeline, "Tuner"), node(pipeline, "Trainer")
    assert trainer.inputs["hyperparameters"] is search.outputs["best_hyperparameters"]
    for name in ("examples", "transform_graph", "schema"):
        assert search.inputs[name] is trainer.inputs[name]
    assert udf_utils.get_fn(search.exec_properties, "tuner_fn") is tuner.tuner_fn


@pytest.mark.parametrize(("trial_epochs", "expected"), [(2, 2), (20, 8)])
def test_trials_train_as_the_trainer_does_but_shorter(
    digit_models: DigitModels, tmp_path: Path, trial_epochs: int, expected: int
) -> None:
    pipeline = created(digit_models, tmp_path, tuner_trials=5, trial_epochs=trial_epochs)
    trainer = settings(pipeline, "Trainer")
    assert trainer["train"] == asdict(TRAIN)
    assert settings(pipeline, "Tuner") == {
        **trainer,
        "train": {**asdict(TRAIN), "epochs": expected},
        "trials": 5,
    }


def test_more_epochs_leave_the_search_in_the_cache(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    longer = TrainConfig(**{**asdict(TRAIN), "epochs": TRAIN.epochs + 1})
    one, other = (
        settings(created(digit_models, tmp_path, tuner_trials=5, train=train), "Tuner")
        for train in (TRAIN, longer)
    )
    assert one == other


def test_report_draws_the_search_between_transform_and_trainer(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    drawn = graph(created(digit_models, tmp_path, tuner_trials=5))
    assert "Transform" in drawn["Tuner"] and "Tuner" in drawn["Trainer"]
    tops = {step.node: row for row, stage in enumerate(stages(drawn, {})) for step in stage}
    assert tops["Transform"] < tops["Tuner"] < tops["Trainer"]
    assert list(drawn).index("Transform") < list(drawn).index("Tuner")


def test_comparison_is_told_of_the_trials(digit_models: DigitModels, tmp_path: Path) -> None:
    for trials in (0, 5):
        pipeline = created(digit_models, tmp_path, tuner_trials=trials)
        training = json.loads(node(pipeline, "Comparison").exec_properties["training"])
        assert training["trials"] == trials


def test_another_output_folder_changes_only_what_has_to_do_with_it(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    """So that a copied OUTPUT trains nothing again."""
    one, other = (
        created(digit_models, tmp_path / name, root=str(tmp_path / "root"), tuner_trials=2)
        for name in ("one", "other")
    )
    changed = {
        (component.id, name)
        for component in one.components
        for name, value in component.exec_properties.items()
        if node(other, component.id).exec_properties[name] != value
    }
    assert changed == {
        *(("Pusher", "push_destination"), ("Pusher.device", "push_destination")),
        ("Report", "metadata_location"),  # for the times that the report shows
    }


def test_a_personal_model_is_made_only_where_it_is_asked_for(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    ids = {component.id for component in created(digit_models, tmp_path).components}
    assert not {"Personalizer", "People", "Pusher.personal"} & ids
    pipeline = created(digit_models, tmp_path, personalize=("mlp", "adam"))
    drawn = graph(pipeline)
    assert set(drawn["People"]) >= {"Personalizer"}
    assert set(drawn["Pusher.personal"]) == {"Personalizer", "People"}
    assert {"People", "Pusher.personal"} <= set(drawn["Report"])
    destination = node(pipeline, "Pusher.personal").exec_properties["push_destination"]
    assert str(tmp_path / "personal") in destination
