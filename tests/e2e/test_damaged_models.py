"""Device models that were damaged after their conversion: none of them is ever pushed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Examples, Model, Schema

from data.resolve import DEFAULT_CACHE, resolve_dataset
from pipeline import runs
from pipeline.config import PipelineConfig
from pipeline.limits import Limits
from pipeline.ship import ship
from tests.e2e.harness import PIPELINE_NAME, Run


def constants(model: schema.ModelT, min_size: int) -> list[tuple[schema.TensorT, np.ndarray]]:
    """Returns the constant float32 tensors of at least `min_size` values, as writable arrays."""
    found = []
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None and tensor.type == schema.TensorType.FLOAT32:
            values = np.frombuffer(bytes(data), np.float32).copy()
            if values.size >= min_size:
                found.append((tensor, values.reshape(tensor.shape)))
    return found


def store(model: schema.ModelT, tensor: schema.TensorT, values: np.ndarray) -> None:
    data = np.ascontiguousarray(values, np.float32)
    model.buffers[tensor.buffer].data = np.frombuffer(data.tobytes(), np.uint8)


def wrong_normalisation(model: schema.ModelT) -> None:
    """The images' mean and deviation are those of other data."""
    scalars = [(tensor, values) for tensor, values in constants(model, 1) if values.size == 1]
    assert len(scalars) == 2
    for tensor, values in scalars:
        store(model, tensor, values * 4)


def permuted_labels(model: schema.ModelT) -> None:
    """Each class answers to the name of its neighbour."""
    permuted = 0
    for tensor, values in constants(model, 10):
        if values.shape[0] == 10:
            store(model, tensor, np.roll(values, 1, axis=0))
            permuted += 1
    assert permuted == 2  # weights and bias of the last layer


def truncated_weights(model: schema.ModelT) -> None:
    """The second half of the largest layer's weights is missing."""
    tensor, values = max(constants(model, 1), key=lambda constant: constant[1].size)
    values.reshape(-1)[values.size // 2 :] = 0
    store(model, tensor, values)


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


def ship_again(run: Run, output: Path, device_models: dict[str, Path]) -> None:
    """Runs what follows the conversion on other device models than those that were made."""
    examples = imported(run, "FileBasedExampleGen", "examples", Examples).with_id("Examples")
    schema_ = imported(run, "CuratedSchema", "schema", Schema).with_id("Schema")
    server_model = imported(run, "Trainer", "model", Model).with_id("Server")
    variants = {
        name: imported(run, "Trainer", "model", Model, str(folder)).with_id(f"Device.{name}")
        for name, folder in device_models.items()
    }
    # What they weigh and how long they take shall not be what gives them away.
    limits = Limits(
        variants={
            name: dataclasses.replace(limit, max_size_ratio=2.0, max_latency_ratio=100.0)
            for name, limit in Limits().variants.items()
        }
    )
    digits = resolve_dataset("digits", None, DEFAULT_CACHE)
    config = PipelineConfig(digits, output, limits=limits)
    shipping = ship(
        config,
        examples=examples.outputs["result"],
        schema=schema_.outputs["result"],
        server_model=server_model.outputs["result"],
        device_models={name: node.outputs["result"] for name, node in variants.items()},
    )
    LocalDagRunner().run(
        Pipeline(
            pipeline_name="ship-again",
            pipeline_root=config.pipeline_root,
            components=[examples, schema_, server_model, *variants.values(), *shipping.components],
            metadata_connection_config=sqlite_metadata_connection_config(str(config.metadata_file)),
            beam_pipeline_args=list(config.beam_args),
        )
    )


@pytest.fixture
def float32_file(digits_run: Run) -> Path:
    """The device model in the Trainer's artifact."""
    store = digits_run.store()
    execution = runs.run_executions(store, PIPELINE_NAME)["Trainer"]
    model = runs.output_artifacts(store, execution)["model"]
    return Path(model.uri) / "Format-Serving" / "tflite"


def model_folder(tmp_path: Path, name: str, content: bytes) -> Path:
    """Returns what looks like a Quantizer's artifact."""
    folder = tmp_path / name
    (folder / "Format-Serving").mkdir(parents=True)
    (folder / "Format-Serving" / "tflite").write_bytes(content)
    return folder


def test_only_the_sound_one_of_four_is_pushed(
    digits_run: Run, float32_file: Path, tmp_path: Path
) -> None:
    damages = {
        "float16": wrong_normalisation,
        "dynamic_range": permuted_labels,
        "int8": truncated_weights,
    }
    folders = {"float32": model_folder(tmp_path, "sound", float32_file.read_bytes())}
    for name, damage in damages.items():
        folders[name] = model_folder(tmp_path, name, float32_file.read_bytes())
        file = str(folders[name] / "Format-Serving" / "tflite")
        model = flatbuffer_utils.read_model(file)
        damage(model)
        flatbuffer_utils.write_model(model, file)
    output = tmp_path / "output"

    ship_again(digits_run, output, folders)

    [pushed] = output.glob("device/*")
    assert {path.name for path in pushed.iterdir()} == {
        "float32.tflite",
        "model.json",
        "pushed.json",
    }
    assert (pushed / "float32.tflite").read_bytes() == float32_file.read_bytes()
    manifest = json.loads((pushed / "model.json").read_text())
    assert [model["name"] for model in manifest["models"]] == ["float32"]
    [comparison] = output.glob("pipeline/Comparison/comparison/*/comparison.json")
    models = {model["name"]: model for model in json.loads(comparison.read_text())["models"]}
    assert models.keys() == {"saved_model", "float32", *damages}
    assert models["saved_model"]["blessed"] and models["float32"]["blessed"]
    for name in damages:
        failed = {check["name"] for check in models[name]["checks"] if not check["passed"]}
        assert {"max_accuracy_drop", "min_agreement"} <= failed, (name, failed)
        assert not models[name]["blessed"]


def test_a_file_that_is_cut_short_stops_the_pipeline(
    digits_run: Run, float32_file: Path, tmp_path: Path
) -> None:
    content = float32_file.read_bytes()
    folder = model_folder(tmp_path, "cut", content[: len(content) // 2])
    output = tmp_path / "output"
    with pytest.raises(Exception, match="not a valid Flatbuffer .*ExtractTFLitePredictions"):
        ship_again(digits_run, output, {"float32": folder})
    assert not list(output.glob("device/*"))
