"""One run on the digits, looked at from all sides, and what running again does."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma

from modules import features, litert
from pipeline import runs
from pipeline.comparison import load_evaluation
from tests.e2e.harness import Run, run_pipeline

COMPONENTS = 14
EVALUATORS = ("Evaluator", "Evaluator.float32")


def evaluation_of(run: Run, evaluator: str) -> str:
    """Returns the folder with the last run's output of an Evaluator."""
    store = runs.open_store(run.output / "metadata.db")
    execution = runs.last_run_executions(store)[evaluator]
    return runs.output_artifacts(store, execution)["evaluation"].uri


def test_the_run_ends_in_blessed_and_pushed_models(digits_run: Run) -> None:
    assert digits_run.status == 0, digits_run.text
    server, device = digits_run.comparison()["models"]
    assert server["name"] == "saved_model" and server["blessed"]
    assert device["name"] == "float32" and device["blessed"]
    assert device["agreement"] == 1.0
    assert device["max_abs_logit_difference"] <= 1e-4
    assert (Path(server["pushed_to"]) / "saved_model.pb").is_file()
    assert {path.name for path in Path(device["pushed_to"]).iterdir()} == {
        "float32.tflite",
        "model.json",
    }


def test_the_terminal_shows_progress_and_the_table_and_nothing_of_the_libraries(
    digits_run: Run,
) -> None:
    components = digits_run.component_lines()
    assert len(components) == COMPONENTS
    assert all(re.fullmatch(r"\d+\.\d s", shown) for shown in components.values())
    expected = re.compile(
        r"\S.*: [\d,]+ training and [\d,]+ test images|loading TFX|\[ *\d+/14\]|  epoch|"
        r"  trained in|\s*(model|saved_model|float32)\b|digits: trained|Report: |The run took|"
        r"[\s─]*$"
    )
    foreign = [line for line in digits_run.text.splitlines() if not expected.match(line)]
    assert foreign == []


def test_pushed_device_model_and_manifest_belong_together(digits_run: Run) -> None:
    folder = Path(digits_run.comparison()["models"][1]["pushed_to"])
    manifest = json.loads((folder / "model.json").read_text())
    interpreter = litert.make_interpreter(str(folder / manifest["models"][0]["file"]))
    signature = interpreter.get_signature_list()["serving_default"]
    assert signature == {
        "inputs": [manifest["input"]["name"]],
        "outputs": [manifest["output"]["name"]],
    }
    assert manifest["labels"] == [str(digit) for digit in range(10)]
    assert manifest["models"][0]["bytes"] == (folder / "float32.tflite").stat().st_size


def test_pushed_saved_model_serves_examples_and_images(digits_run: Run) -> None:
    loaded = tf.saved_model.load(digits_run.comparison()["models"][0]["pushed_to"])
    image = [0.5] * features.NUM_PIXELS
    example = tf.train.Example()
    example.features.feature[features.IMAGE_FLOATS].float_list.value.extend(image)
    by_example = loaded.signatures["serving_default"](tf.constant([example.SerializeToString()]))
    by_image = loaded.signatures["predict_images"](image_floats=tf.constant([image]))
    assert by_example[features.LOGITS].shape == (1, 10)
    tf.debugging.assert_equal(by_example[features.LOGITS], by_image[features.LOGITS])


def test_the_model_is_trained_once_and_both_evaluators_read_it(digits_run: Run) -> None:
    store = runs.open_store(digits_run.output / "metadata.db")
    executions = runs.last_run_executions(store)
    trainers = store.get_executions_by_type("tfx.components.trainer.component.Trainer")
    assert [trainer.id for trainer in trainers] == [executions["Trainer"].id]
    model = runs.output_artifacts(store, executions["Trainer"])["model"]
    for evaluator in EVALUATORS:
        events = store.get_events_by_execution_ids([executions[evaluator].id])
        inputs = {
            event.path.steps[0].key: event.artifact_id
            for event in events
            if event.type in (event.INPUT, event.DECLARED_INPUT)
        }
        assert inputs["model"] == model.id


def test_both_evaluations_have_the_same_structure(digits_run: Run) -> None:
    uris = [evaluation_of(digits_run, evaluator) for evaluator in EVALUATORS]

    def structure(values: object) -> object:
        if isinstance(values, dict):
            return {key: structure(value) for key, value in values.items()}
        return type(values).__name__

    def slices(uri: str, kind: str) -> dict:
        return {key: structure(value) for key, value in getattr(load_evaluation(uri), kind)}

    metrics = [slices(uri, "slicing_metrics") for uri in uris]
    assert len(metrics[0]) == 11  # overall and ten digits
    assert {"accuracy", "loss", "example_count"} == set(metrics[0][()][""][""])
    assert metrics[0] == metrics[1]
    plots = [{key: set(value[""]) for key, value in load_evaluation(uri).plots} for uri in uris]
    assert len(plots[0]) == 11 and plots[0] == plots[1]
    validations = [tfma.load_validation_result(uri) for uri in uris]
    assert validations[0] == validations[1]
    configs = [load_evaluation(uri).config for uri in uris]
    assert [c.model_specs[0].model_type for c in configs] == [tfma.TF_GENERIC, tfma.TF_LITE]


def test_run_again_unchanged_everything_is_cached(digits_run: Run) -> None:
    again = run_pipeline(digits_run.project, DATASET="digits", OUTPUT=digits_run.output)
    assert again.status == 0, again.text
    shown = again.component_lines()
    assert len(shown) == COMPONENTS
    # A Resolver is no component with outputs of its own; TFX asks it every time.
    assert {name for name, time in shown.items() if time != "cached"} == {"LastBlessedModel"}
    assert again.comparison() == digits_run.comparison()


def test_a_change_of_the_readme_reruns_nothing(
    digits_run: Run, append_to: Callable[[str, str], None]
) -> None:
    append_to("README.md", "\nOne more line.\n")
    again = run_pipeline(digits_run.project, DATASET="digits", OUTPUT=digits_run.output)
    times = again.component_lines()
    assert {name for name, time in times.items() if time != "cached"} == {"LastBlessedModel"}


def test_a_change_in_modules_reruns_the_trainer_and_what_follows_only(
    digits_run: Run, append_to: Callable[[str, str], None]
) -> None:
    append_to("modules/model.py", "\n# One more line.\n")
    again = run_pipeline(digits_run.project, DATASET="digits", OUTPUT=digits_run.output)
    assert again.status == 0, again.text
    times = again.component_lines()
    kept = {"CuratedSchema", "FileBasedExampleGen", "StatisticsGen", "ExampleValidator"}
    assert {name for name in kept | {"AnomalyGate"} if times[name] != "cached"} == set()
    followers = {"Trainer", *EVALUATORS, "Comparison", "Pusher", "Pusher.device", "Report"}
    assert {name for name in followers if times[name] == "cached"} == set()
    # This time there was a blessed model to compare with: itself, but for the comment.
    for model in again.comparison()["models"]:
        [check] = [check for check in model["checks"] if check["name"] == "max_drop_from_last"]
        assert check["value"] == 0.0 and check["passed"]
    config = load_evaluation(evaluation_of(again, "Evaluator")).config
    assert [spec.name for spec in config.model_specs] == ["candidate", "baseline"]


def test_below_the_threshold_nothing_is_pushed(
    digits_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    output = tmp_path_factory.mktemp("below")
    run = run_pipeline(
        digits_run.project, DATASET="digits", OUTPUT=output, EPOCHS="1", MIN_ACCURACY="0.999"
    )
    assert run.status == 3, run.text
    assert run.pushed() == []
    assert "failed min_accuracy" in run.text
    assert [model["pushed_to"] for model in run.comparison()["models"]] == [None, None]
