"""Models that were damaged after their conversion: none of them is ever pushed.

Each is driven through the components that follow the conversion, with the limits of every run.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Examples, Model, Schema

from data.cache import IN_PROJECT
from data.resolve import resolve_dataset
from modules import features
from modules.export import conversion_record, saved_model
from pipeline.config import PipelineConfig
from pipeline.metadata import runs
from pipeline.ship import ship
from tests.e2e.support import poisons
from tests.e2e.support.harness import PIPELINE_NAME, Run

RECIPES = ("float32", "float16", "dynamic_range", "int8", "int8_io")
Poison = Callable[[schema.ModelT], None]


@dataclasses.dataclass(frozen=True)
class Made:
    """The folders Format-Serving that a run made, by recipe; the SavedModel is float32's."""

    folders: dict[str, Path]

    def file(self, name: str) -> Path:
        return self.folders[name] / features.TFLITE_FILE


@pytest.fixture
def made(digits_run: Run) -> Made:
    return made_by(digits_run)


def made_by(run: Run) -> Made:
    store = run.store()
    executions = runs.run_executions(store, PIPELINE_NAME)
    nodes = {name: (f"Quantizer.{name}", "quantized_model") for name in RECIPES[1:]}
    nodes["float32"] = ("Trainer", "model")
    folders = {
        name: Path(runs.output_artifacts(store, executions[node])[key].uri, "Format-Serving")
        for name, (node, key) in nodes.items()
    }
    return Made(folders)


def imported(run: Run, node: str, key: str, artifact_type: type, uri: str = "") -> Importer:
    """Returns an Importer of an output of the run, or of the like of it elsewhere."""
    store = run.store()
    execution = runs.run_executions(store, PIPELINE_NAME)[node]
    artifact = runs.output_artifacts(store, execution)[key]
    properties = {
        name: value.string_value
        for name, value in artifact.properties.items()
        if name in ("split_names",)
    }
    custom_properties = {
        name: value.string_value
        for name, value in artifact.custom_properties.items()
        if name in ("file_format", "payload_format")
    }
    return Importer(
        source_uri=uri or artifact.uri,
        artifact_type=artifact_type,
        properties=properties,
        custom_properties=custom_properties,
    )


def ship_again(
    run: Run, output: Path, server_model: str, device_models: dict[str, Path], **changes: Any
) -> dict[str, Any]:
    """Runs what follows the conversion on other models than those that were made.

    The changes are to the config. Returns the models of comparison.json by name.
    """
    examples = imported(run, "FileBasedExampleGen", "examples", Examples).with_id("Examples")
    schema_ = imported(run, "CuratedSchema", "schema", Schema).with_id("Schema")
    server = imported(run, "Trainer", "model", Model, server_model).with_id("Server")
    variants = {
        name: imported(run, "Trainer", "model", Model, str(folder)).with_id(f"Device.{name}")
        for name, folder in device_models.items()
    }
    config = PipelineConfig(resolve_dataset("digits", None, IN_PROJECT), output, **changes)
    shipping = ship(
        config,
        examples=examples.outputs["result"],
        schema=schema_.outputs["result"],
        server_model=server.outputs["result"],
        device_models={name: node.outputs["result"] for name, node in variants.items()},
    )
    LocalDagRunner().run(
        Pipeline(
            pipeline_name="ship-again",
            pipeline_root=config.pipeline_root,
            components=[examples, schema_, server, *variants.values(), *shipping.components],
            metadata_connection_config=sqlite_metadata_connection_config(str(config.metadata_file)),
            beam_pipeline_args=list(config.beam_args),
        )
    )
    [comparison] = output.glob("pipeline/Comparison/comparison/*/comparison.json")
    return {model["name"]: model for model in json.loads(comparison.read_text())["models"]}


def model_folder(
    folder: Path, content: bytes | None, original: Path, poison: Poison = poisons.sound
) -> Path:
    """Returns what looks like a Quantizer's artifact, with a record that fits its content."""
    serving = folder / "Format-Serving"
    serving.mkdir(parents=True)
    if content is not None:
        file = serving / features.TFLITE_FILE
        file.write_bytes(content)
        if poison is not poisons.sound:
            model = flatbuffer_utils.read_model(str(file))
            poison(model)
            flatbuffer_utils.write_model(model, str(file))
    conversion_record.record(str(serving), facts=conversion_record.facts(str(original)))
    return folder


def failed_checks(model: dict[str, Any]) -> set[str]:
    return {check["name"] for check in model["checks"] if not check["passed"]}


def test_only_the_sound_one_of_five_is_pushed(digits_run: Run, made: Made, tmp_path: Path) -> None:
    """The others are of the right form, and none says by its digest that it was changed."""
    damages = {
        "float32": poisons.sound,
        "float16": poisons.permuted_labels,
        "dynamic_range": poisons.biased_class,
        "int8": poisons.too_sure,
        "int8_io": poisons.dark_input,
    }
    folders = {
        name: model_folder(
            tmp_path / name, made.file(name).read_bytes(), made.folders[name], damage
        )
        for name, damage in damages.items()
    }
    output = tmp_path / "output"

    models = ship_again(digits_run, output, "", folders)

    [pushed] = output.glob("device/*")
    assert {path.name for path in pushed.iterdir()} == {
        "float32.tflite",
        "model.json",
        "pushed.json",
    }
    assert (pushed / "float32.tflite").read_bytes() == made.file("float32").read_bytes()
    manifest = json.loads((pushed / "model.json").read_text())
    assert [model["name"] for model in manifest["models"]] == ["float32"]
    assert models.keys() == {"saved_model", *damages}
    assert {name for name, model in models.items() if model["blessed"]} == {
        "saved_model",
        "float32",
    }
    assert all(model["refused"] is None for model in models.values())
    assert {"max_accuracy_drop", "min_agreement"} <= failed_checks(models["float16"])
    # Of these two hardly an answer is another one; only the logits tell.
    assert {"max_class_logit_shift"} <= failed_checks(models["dynamic_range"])
    assert {"max_logit_scale_error"} <= failed_checks(models["int8"])
    for name in ("dynamic_range", "int8"):
        assert "evaluator_blessing" not in failed_checks(models[name])
    assert {"max_rms_logit_difference"} <= failed_checks(models["int8_io"])


def wrong_alone(source: Path, folder: Path) -> None:
    """Writes a SavedModel whose `serving_default` prefers a class for an image by itself."""
    shutil.copytree(source, folder / "Format-Serving")
    loaded = tf.saved_model.load(str(source))
    serve = loaded.signatures[saved_model.SERVE_EXAMPLES]
    keyword = next(iter(serve.structured_input_signature[1]))

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string, name=keyword)])
    def poisoned(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        answers = serve(**{keyword: serialized})
        is_alone = tf.equal(tf.shape(serialized)[0], 1)
        preferred = 0.5 * tf.one_hot(3, 10) * tf.cast(is_alone, tf.float32)
        return {**answers, features.LOGITS: answers[features.LOGITS] + preferred}

    signatures = {**loaded.signatures, saved_model.SERVE_EXAMPLES: poisoned}
    tf.saved_model.save(loaded, str(folder / "Format-Serving"), signatures=signatures)
    conversion_record.record(str(folder / "Format-Serving"))


def test_files_of_a_wrong_form_are_refused_and_keep_no_other_back(
    digits_run: Run, made: Made, tmp_path: Path
) -> None:
    """Nor does a SavedModel pass that is right only in the batches of an evaluation."""
    content = {name: made.file(name).read_bytes() for name in RECIPES}
    folders = {
        name: model_folder(tmp_path / name, damaged, made.folders[name], damage)
        for name, damaged, damage in (
            ("float32", content["float32"], poisons.sound),
            ("float16", content["float16"][:100_000], poisons.sound),
            ("dynamic_range", content["dynamic_range"], poisons.one_more_operator),
            ("int8", content["dynamic_range"], poisons.sound),
            ("int8_io", content["int8_io"], poisons.sound),
        )
    }
    with open(folders["int8_io"] / "Format-Serving" / features.TFLITE_FILE, "ab") as file:
        file.write(b"\0")
    server = tmp_path / "server"
    wrong_alone(made.folders["float32"], server)
    output = tmp_path / "output"

    models = ship_again(digits_run, output, str(server), folders)

    assert not list(output.glob("serving/*"))
    [pushed] = output.glob("device/*")
    assert {path.name for path in pushed.iterdir()} == {
        "float32.tflite",
        "model.json",
        "pushed.json",
    }
    assert models["float32"]["blessed"]
    reasons = {
        "float16": "LiteRT cannot run it",
        "dynamic_range": "it has 11 operators, and had 10 when it was converted",
        "int8": "activations are floats, which the recipe int8 does not make",
        "int8_io": "the file was altered after it was checked",
    }
    for name, reason in reasons.items():
        assert reason in models[name]["refused"], name
        assert failed_checks(models[name]) == {"sound_file"}
        assert not models[name]["blessed"]
        assert models[name].keys() == models["saved_model"].keys()
        assert models[name]["metrics"] == {"accuracy": None, "loss": None}
    # The Evaluator saw nothing of it in whole batches.
    assert {"max_alone_difference", "max_contradictions"} == failed_checks(models["saved_model"])
    assert not models["saved_model"]["blessed"]
