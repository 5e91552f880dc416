"""Which model a new one is measured against."""

import dataclasses
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.components.evaluator import constants
from tfx.types.standard_artifacts import Model, ModelBlessing

from data.task import Task
from modules import features
from pipeline.components.baseline import BLESSING, CANDIDATE, MODEL, BlessedBeforeCandidate
from pipeline.storage import store_copies

TASK = Task("fruit", (20, 30, 3), ("apple", "pear"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the models of a test have their files: a folder each, by their number."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def store() -> mlmd.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return mlmd.MetadataStore(config)


def _model(identity: int) -> Model:
    model = Model()
    model.id = identity
    model.uri = str(identity)
    return model


def _blessing(identity: int, model: int, blessed: bool = True) -> ModelBlessing:
    """As TFX's Evaluator marks it."""
    blessing = ModelBlessing()
    blessing.id = identity
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model)
    return blessing


def _resolve(
    store: mlmd.MetadataStore,
    candidate: int,
    models: list[int],
    blessings: list[ModelBlessing],
    deleted: tuple[int, ...] = (),
    tasks: dict[int, str] | None = None,
) -> tuple[list[int], list[int], list[int]]:
    """The ids of what is resolved: candidate, baseline and its blessing."""
    for identity in set(models) - set(deleted):
        Path(str(identity), "Format-Serving").mkdir(parents=True, exist_ok=True)
        task = (tasks or {}).get(identity, TASK.to_json())
        Path(str(identity), features.TASK_FILE).write_text(task)
    resolved = BlessedBeforeCandidate().resolve_artifacts(
        store,
        {
            CANDIDATE: [_model(candidate)],
            MODEL: [_model(identity) for identity in models],
            BLESSING: blessings,
        },
    )
    found = {key: [artifact.id for artifact in artifacts] for key, artifacts in resolved.items()}
    return found[CANDIDATE], found[MODEL], found[BLESSING]


@pytest.mark.parametrize("models", [[3, 5, 9], [9, 5, 3], [5, 9, 3]])
def test_latest_blessed_older_than_the_candidate(
    store: mlmd.MetadataStore, models: list[int]
) -> None:
    blessings = [_blessing(10 + identity, identity) for identity in (3, 5)]
    assert _resolve(store, 9, models, blessings) == ([9], [5], [15])
    assert _resolve(store, 9, models, blessings[::-1]) == ([9], [5], [15])


def test_without_any_there_is_none(store: mlmd.MetadataStore) -> None:
    assert _resolve(store, 9, [9], []) == ([9], [], [])
    assert _resolve(store, 9, [3, 9], []) == ([9], [], [])


def test_not_blessed_is_skipped(store: mlmd.MetadataStore) -> None:
    blessings = [_blessing(13, 3), _blessing(15, 5, blessed=False)]
    assert _resolve(store, 9, [3, 5, 9], blessings) == ([9], [3], [13])
    assert _resolve(store, 9, [5, 9], blessings[1:]) == ([9], [], [])


def test_the_latest_blessing_of_a_model_counts(store: mlmd.MetadataStore) -> None:
    tightened = [_blessing(13, 3), _blessing(14, 3, blessed=False)]
    assert _resolve(store, 9, [3, 9], tightened[::-1]) == ([9], [], [])
    relaxed = [_blessing(13, 3, blessed=False), _blessing(14, 3)]
    assert _resolve(store, 9, [3, 9], relaxed) == ([9], [3], [14])


def test_neither_the_candidate_nor_a_newer_model(store: mlmd.MetadataStore) -> None:
    """Run again unchanged, the candidate is an old model that is blessed by now."""
    blessings = [_blessing(20 + identity, identity) for identity in (3, 5, 9)]
    assert _resolve(store, 5, [3, 5, 9], blessings) == ([5], [3], [23])
    assert _resolve(store, 3, [3, 5, 9], blessings) == ([3], [], [])


def test_a_model_whose_files_are_gone_is_passed_over(store: mlmd.MetadataStore) -> None:
    blessings = [_blessing(13, 3), _blessing(15, 5)]
    assert _resolve(store, 9, [3, 5, 9], blessings, deleted=(5,)) == ([9], [3], [13])


@pytest.mark.parametrize(
    ("other", "is_comparable"),
    [
        (dataclasses.replace(TASK, name="more fruit", min_accuracy=0.5), True),
        (dataclasses.replace(TASK, image_shape=(30, 20, 3)), False),
        (dataclasses.replace(TASK, image_shape=(20, 30, 1)), False),
        (dataclasses.replace(TASK, label_names=("pear", "apple")), False),
        (dataclasses.replace(TASK, label_names=("apple", "pear", "plum")), False),
    ],
)
def test_a_model_of_other_images_or_labels_is_passed_over(
    store: mlmd.MetadataStore, other: Task, is_comparable: bool
) -> None:
    blessings = [_blessing(13, 3), _blessing(15, 5)]
    found = _resolve(store, 9, [3, 5, 9], blessings, tasks={5: other.to_json()})
    assert found == (([9], [5], [15]) if is_comparable else ([9], [3], [13]))


@pytest.mark.parametrize("content", ["", "[]", '{"name": "fruit"}', "{"])
@pytest.mark.parametrize("broken", [3, 9])
def test_a_model_that_does_not_say_its_task_is_compared_with_none(
    store: mlmd.MetadataStore, content: str, broken: int
) -> None:
    found = _resolve(store, 9, [3, 9], [_blessing(13, 3)], tasks={broken: content})
    assert found == ([9], [], [])


def test_a_model_from_before_tasks_were_kept(store: mlmd.MetadataStore) -> None:
    for identity in (3, 9):
        Path(str(identity), "Format-Serving").mkdir(parents=True)
    Path("9", features.TASK_FILE).write_text(TASK.to_json())
    inputs = {
        CANDIDATE: [_model(9)],
        MODEL: [_model(3), _model(9)],
        BLESSING: [_blessing(13, 3)],
    }
    assert BlessedBeforeCandidate().resolve_artifacts(store, inputs)[MODEL] == []


def test_models_in_an_object_store(store: mlmd.MetadataStore, s3: str, tmp_path: Path) -> None:
    """The files of the later one are gone."""
    (tmp_path / "weights").write_text("weights")
    (tmp_path / "task").write_text(TASK.to_json())
    for identity in (3, 9):
        store_copies.upload(tmp_path / "task", f"{s3}/{identity}/{features.TASK_FILE}")
    store_copies.upload(tmp_path / "weights", f"{s3}/3/Format-Serving/weights")
    models = [_model(identity) for identity in (3, 5, 9)]
    for model in models:
        model.uri = f"{s3}/{model.uri}"
    resolved = BlessedBeforeCandidate().resolve_artifacts(
        store,
        {CANDIDATE: models[2:], MODEL: models, BLESSING: [_blessing(13, 3), _blessing(15, 5)]},
    )
    assert resolved[MODEL] == models[:1]
