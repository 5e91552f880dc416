"""A pipeline of two nodes that pushes a small model, with what the local runner does around it."""

import os
from pathlib import Path

from tfx.components import Pusher
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types.standard_artifacts import Model
from tfx.utils import path_utils

from data.cache import IN_PROJECT
from data.files import file_sha256
from data.resolve import resolve_dataset
from pipeline.components import pusher
from pipeline.config import PipelineConfig
from pipeline.metadata.connection import connection_config, open_store
from pipeline.metadata.half_done import HalfDone
from pipeline.running.nodes import LocalRunner
from pipeline.storage import versions


@component
def Made(text: Parameter[str], model: OutputArtifact[Model]):  # noqa: N802
    """A node that makes a small model of several files."""
    folder = Path(path_utils.serving_model_path(model.uri))
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "tflite", "variables/index", "variables/data"):
        (folder / name).write_text(f"{name} {text}\n" * 200)


def made_config(output: Path) -> PipelineConfig:
    """Returns the config of a pipeline named "ours"."""
    return PipelineConfig(resolve_dataset("digits", None, IN_PROJECT), output, name="ours")


def push_pipeline(config: PipelineConfig, text: str, executor: type = pusher.Executor) -> Pipeline:
    """Returns the pipeline of Made and a Pusher."""
    made = Made(text=text)
    destination = pusher_pb2.PushDestination.Filesystem(base_directory=config.serving_dir)
    pushed = Pusher(
        model=made.outputs["model"],
        push_destination=pusher_pb2.PushDestination(filesystem=destination),
        custom_executor_spec=ExecutorClassSpec(executor),
        custom_config={pusher.PIPELINE_KEY: config.pipeline_name},
    )
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=[made, pushed],
        metadata_connection_config=connection_config(config.metadata_location),
        enable_cache=True,
    )


def push(config: PipelineConfig, text: str, executor: type = pusher.Executor) -> None:
    """Runs Made and a Pusher, with what the local runner does before and after."""
    list(HalfDone.of_pipeline(config).recover())
    LocalRunner().run(push_pipeline(config, text, executor))
    list(HalfDone.of_pipeline(config).settle())


def texts(config: PipelineConfig) -> list[str]:
    """Returns which models were pushed, in the order of their versions, all of which are whole."""
    folder = Path(config.serving_dir)
    names = sorted(filter(versions.is_version, os.listdir(folder) if folder.exists() else ()))
    assert all(versions.is_whole(folder / name) for name in names), names
    for name in names:
        record = versions.read(folder / name)
        on_disk = {file: file_sha256(folder / name / file) for file in record.files}
        assert on_disk == {file: facts.sha256 for file, facts in record.files.items()}
        assert set(on_disk) == {"saved_model.pb", "variables/index", "variables/data"}
    lines = [(folder / name / "saved_model.pb").read_text().splitlines()[0] for name in names]
    return [line.removeprefix("saved_model.pb ") for line in lines]


def recorded(config: PipelineConfig) -> set[str]:
    """Returns the names of the versions that ML Metadata knows of."""
    pushed = open_store(config.metadata_location).get_artifacts_by_type("PushedModel")
    paths = [Path(path.custom_properties["pushed_destination"].string_value) for path in pushed]
    assert {str(path.parent) for path in paths} <= {config.serving_dir}
    return {path.name for path in paths}


def check(config: PipelineConfig, last: str) -> None:
    """Checks what a run that succeeded left: each version once, and recorded; nothing else."""
    found, names = texts(config), set(os.listdir(config.serving_dir))
    assert len(set(found)) == len(found) and found[-1] == last, found
    assert recorded(config) == names
