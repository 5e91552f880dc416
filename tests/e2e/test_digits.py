"""One run on the digits, looked at from all sides, and what running again does."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma

from modules import features
from modules.export.recipes import FLOAT32, RECIPES
from modules.inference import litert
from pipeline.metadata import runs
from pipeline.storage import versions
from pipeline.verdict.tfma_config import EVAL_SLICE
from pipeline.verdict.tfma_results import load_evaluation
from tests.e2e.support.harness import PIPELINE_NAME, Run, run_pipeline
from tests.e2e.support.in_process import run_here

COMPONENTS = 22
QUANTIZERS = tuple(f"Quantizer.{name}" for name in RECIPES if name != "float32")
EVALUATORS = ("Evaluator", *(f"Evaluator.{name}" for name in RECIPES))


def evaluation_of(run: Run, evaluator: str) -> str:
    """Returns the folder with the last run's output of an Evaluator."""
    store = run.store()
    execution = runs.run_executions(store, PIPELINE_NAME)[evaluator]
    return runs.output_artifacts(store, execution)["evaluation"].uri


def test_the_run_ends_in_blessed_and_pushed_models(digits_run: Run) -> None:
    assert digits_run.status == 0, digits_run.text
    server, *devices = digits_run.comparison()["models"]
    assert server["name"] == "saved_model" and server["blessed"]
    assert [device["name"] for device in devices] == list(RECIPES)
    assert all(device["blessed"] for device in devices)
    float32 = devices[0]
    assert float32["agreement"] == 1.0 == float32["hard"]["agreement"]
    assert float32["max_abs_logit_difference"] <= 1e-4
    assert (Path(server["pushed_to"]) / "saved_model.pb").is_file()
    [folder] = {device["pushed_to"] for device in devices}
    assert {path.name for path in Path(folder).iterdir()} == {
        *(f"{name}.tflite" for name in RECIPES),
        "model.json",
        "pushed.json",
    }
    assert all(map(versions.is_whole, (server["pushed_to"], folder)))


def test_the_hard_images_are_harder_and_quantization_shows_in_size_and_logits(
    digits_run: Run,
) -> None:
    models = {model["name"]: model for model in digits_run.comparison()["models"]}
    for model in models.values():
        assert model["hard"]["accuracy"] < model["metrics"]["accuracy"]
        assert model["hard"]["loss"] > model["metrics"]["loss"]
    parameters = sum(value.size for value in digits_run.parameters().values())
    for name, recipe in RECIPES.items():
        assert models[name]["bytes"] == pytest.approx(recipe.weight_bytes * parameters, rel=0.02)
        assert set(models[name]["latency_us"]) == {"batch_1", "batch_1_without_xnnpack"}
    differences = [models[name]["max_abs_logit_difference"] for name in ("float32", "float16")]
    assert differences[0] < differences[1] < models["dynamic_range"]["max_abs_logit_difference"]


def test_the_terminal_shows_progress_and_the_table_and_nothing_of_the_libraries(
    digits_run: Run,
) -> None:
    components = digits_run.component_lines()
    assert len(components) == COMPONENTS
    assert all(re.fullmatch(r"\d+\.\d s", shown) for shown in components.values())
    expected = re.compile(
        r"\S.*: [\d,]+ training and [\d,]+ test images|loading TFX|\[ *\d+/22\]|  epoch|"
        rf"  trained in|\s*(model|saved_model|{'|'.join(RECIPES)})\b|offline digits: trained|"
        r"Report: |The run took|[\s─]*$"
    )
    foreign = [line for line in digits_run.text.splitlines() if not expected.match(line)]
    assert foreign == []


def test_pushed_device_model_and_manifest_belong_together(digits_run: Run) -> None:
    folder = Path(digits_run.comparison()["models"][1]["pushed_to"])
    manifest = json.loads((folder / "model.json").read_text())
    assert manifest["labels"] == [str(digit) for digit in range(10)]
    assert [model["name"] for model in manifest["models"]] == list(RECIPES)
    for model in manifest["models"]:
        file = folder / model["file"]
        signature = litert.make_interpreter(str(file)).get_signature_list()["serving_default"]
        assert signature == {
            "inputs": [manifest["input"]["name"]],
            "outputs": [manifest["output"]["name"]],
        }
        assert model["bytes"] == file.stat().st_size


def test_pushed_saved_model_serves_examples_and_images(digits_run: Run) -> None:
    loaded = tf.saved_model.load(digits_run.comparison()["models"][0]["pushed_to"])
    image = [0.5] * 784
    example = tf.train.Example()
    example.features.feature[features.IMAGE_FLOATS].float_list.value.extend(image)
    by_example = loaded.signatures["serving_default"](tf.constant([example.SerializeToString()]))
    by_image = loaded.signatures["predict_images"](image_floats=tf.constant([image]))
    assert by_example[features.LOGITS].shape == (1, 10)
    tf.debugging.assert_equal(by_example[features.LOGITS], by_image[features.LOGITS])


def test_the_model_is_trained_once_and_every_model_comes_of_it(digits_run: Run) -> None:
    store = digits_run.store()
    executions = runs.run_executions(store, PIPELINE_NAME)
    trainers = store.get_executions_by_type("tfx.components.trainer.component.Trainer")
    assert [trainer.id for trainer in trainers] == [executions["Trainer"].id]
    model = runs.output_artifacts(store, executions["Trainer"])["model"]
    made = {"Evaluator": model.id, "Evaluator.float32": model.id}
    for quantizer in QUANTIZERS:
        output = runs.output_artifacts(store, executions[quantizer])["quantized_model"]
        made[quantizer.replace("Quantizer", "Evaluator")] = output.id
    assert len(set(made.values())) == len(RECIPES)
    expected = {**dict.fromkeys(QUANTIZERS, model.id), **made}
    for reader, model_id in expected.items():
        events = store.get_events_by_execution_ids([executions[reader].id])
        inputs = {
            event.path.steps[0].key: event.artifact_id
            for event in events
            if event.type in (event.INPUT, event.DECLARED_INPUT)
        }
        assert inputs["model"] == model_id


def test_all_evaluations_have_the_same_structure(digits_run: Run) -> None:
    uris = [evaluation_of(digits_run, evaluator) for evaluator in EVALUATORS]

    def structure(values: object) -> object:
        if isinstance(values, dict):
            return {key: structure(value) for key, value in values.items()}
        # Of a digit that a model never takes any image for, the precision is not defined.
        return "float" if values == "NaN" else type(values).__name__

    def slices(uri: str, kind: str) -> dict:
        result, _ = load_evaluation(uri)
        return {key: structure(value) for key, value in getattr(result, kind)}

    metrics = [slices(uri, "slicing_metrics") for uri in uris]
    assert len(metrics[0]) == 12  # the test set, its ten digits, and the hard set
    assert {"accuracy", "loss", "example_count"} == set(metrics[0][EVAL_SLICE][""][""])
    assert all(other == metrics[0] for other in metrics[1:])
    plots = [slices(uri, "plots").keys() for uri in uris]
    assert EVAL_SLICE in plots[0] and all(other == plots[0] for other in plots[1:])
    validations = [tfma.load_validation_result(uri) for uri in uris]
    assert all(other == validations[0] for other in validations[1:])
    configs = [load_evaluation(uri)[0].config for uri in uris]
    assert [config.model_specs[0].model_type for config in configs] == [
        tfma.TF_GENERIC,
        *[tfma.TF_LITE] * len(RECIPES),
    ]


def run_again(run: Run) -> Run:
    """Repeats it here: this project is what the copy was made of."""
    cache = run.project / "data" / "cache"
    return run_here(DATASET="digits", DATA_CACHE=cache, OUTPUT=run.output)


def test_run_again_unchanged_everything_is_cached(digits_run: Run) -> None:
    again = run_again(digits_run)
    assert again.status == 0, again.text
    shown = again.component_lines()
    assert len(shown) == COMPONENTS
    # A Resolver is no component with outputs of its own; TFX asks it every time.
    assert {name for name, time in shown.items() if time != "cached"} == {"LastBlessedModel"}
    assert again.comparison() == digits_run.comparison()


def test_a_change_of_the_documents_reruns_nothing(
    digits_run: Run, append_to: Callable[[str, str], None]
) -> None:
    append_to("README.md", "\nOne more line.\n")
    append_to("docs/data.md", "\nOne more line.\n")
    again = run_pipeline(digits_run.project, DATASET="digits", OUTPUT=digits_run.output)
    times = again.component_lines()
    assert {name for name, time in times.items() if time != "cached"} == {"LastBlessedModel"}


def test_a_change_in_modules_reruns_the_trainer_and_what_follows_and_back_is_cached(
    digits_run: Run, append_to: Callable[[str, str], None]
) -> None:
    append_to("modules/models/cnn.py", "\n# One more line.\n")
    again = run_pipeline(digits_run.project, DATASET="digits", OUTPUT=digits_run.output)
    assert again.status == 0, again.text
    times = again.component_lines()
    kept = {"CuratedSchema", "FileBasedExampleGen", "StatisticsGen", "ExampleValidator"}
    assert {name for name in kept | {"AnomalyGate"} if times[name] != "cached"} == set()
    followers = {"Trainer", *QUANTIZERS, *EVALUATORS, "Comparison", "Pusher", "Pusher.device"}
    followers.add("Report")
    assert {name for name in followers if times[name] == "cached"} == set()
    # This time there was a blessed model to compare with: itself, but for the comment, in float32.
    models = again.comparison()["models"]
    for model in models:
        [check] = [check for check in model["checks"] if check["name"] == "max_drop_from_last"]
        lost = models[0]["metrics"]["accuracy"] - model["metrics"]["accuracy"]
        assert check["value"] == pytest.approx(lost, abs=1e-5) and check["passed"]
    config = load_evaluation(evaluation_of(again, "Evaluator.int8"))[0].config
    assert [spec.name for spec in config.model_specs] == ["candidate", "baseline"]

    back = run_again(digits_run)
    assert back.comparison() == digits_run.comparison()
    for old, new in zip(back.comparison()["models"], again.comparison()["models"], strict=True):
        newest = Path(new["pushed_to"]).name
        assert f"{old['pushed_to']} is of an earlier run; version {newest} of" in back.text


def test_its_parameters_ship_without_training_as_the_same_files(
    digits_run: Run, tmp_path: Path
) -> None:
    artifact = min(
        digits_run.output.glob("pipeline/Trainer/model/*"), key=lambda path: int(path.name)
    )
    given = run_here(DATASET="digits", PARAMS=artifact, OUTPUT=tmp_path)
    assert given.status == 0, given.text
    assert "nothing is trained" in given.text and "epoch" not in given.text
    pushed = [
        Path(model["pushed_to"])
        for model in digits_run.comparison()["models"]
        if model["name"] == FLOAT32.name
    ]
    [ours], [theirs] = pushed, tmp_path.glob("device/*")
    for name in RECIPES:
        files = ((folder / f"{name}.tflite").read_bytes() for folder in (ours, theirs))
        # TensorFlow writes a number of eight bytes that is another one for each SavedModel.
        assert sum(one != other for one, other in zip(*files, strict=True)) <= 16, name
    assert given.comparison()["params"] == str(artifact)
    page = (given.output / "report" / "index.html").read_text()
    assert f"<dt>Parameters</dt><dd>given, from <code>{artifact}</code>" in page
