"""The pipeline: its components in the order of the data flow."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfx.components import ExampleValidator, StatisticsGen, Trainer, Transform, Tuner
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from data.files import file_sha256, folder_sha256
from data.splits import Split
from modules import preprocessing, run_fn, tuner
from modules.export.recipes import FLOAT32
from modules.models import loading
from modules.training.job import TrainingJob
from pipeline.beam import engines
from pipeline.components import baseline
from pipeline.components.example_gen import image_example_gen
from pipeline.components.quantizer import Quantizer
from pipeline.components.report import Report
from pipeline.components.validation import AnomalyGate, CuratedSchema, curated_schema
from pipeline.config import PipelineConfig
from pipeline.metadata.connection import connection_config
from pipeline.metadata.source_digest import attach_digests
from pipeline.personalize import personalize
from pipeline.ship import ship
from pipeline.storage import staging, stores


def create_pipeline(config: PipelineConfig) -> Pipeline:
    """Returns the pipeline that trains once, and evaluates, compares and pushes every format."""
    data = config.dataset
    example_gen = image_example_gen(data, config.data_folder)
    example_gen.with_beam_pipeline_args(engines.args_for_local_files(config.beam_args))

    # The data is checked against the schema before anything is learnt from it.
    schema = CuratedSchema(schema_text=curated_schema(data.task))
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"],
        exclude_splits=[Split.HARD],  # made from eval, by code rather than by people
    )
    validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema.outputs["schema"]
    )
    gate = AnomalyGate(anomalies=validator.outputs["anomalies"])

    # Only the graph is kept: the Trainer applies it itself, and both exports contain it.
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schema.outputs["schema"],
        # With `module_file`, TFX would build a wheel and install it several times in each run.
        preprocessing_fn=f"{preprocessing.__name__}.preprocessing_fn",
        materialize=False,
        disable_statistics=True,
    )
    transform.add_upstream_node(gate)

    training_inputs = {
        "examples": example_gen.outputs["examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "schema": schema.outputs["schema"],
        "train_args": trainer_pb2.TrainArgs(splits=[Split.TRAIN]),
        "eval_args": trainer_pb2.EvalArgs(splits=[Split.EVAL]),
    }
    job = training_job(config)
    search = _tuners(config, training_inputs, job)
    trainer = Trainer(
        run_fn=f"{run_fn.__name__}.run_fn",
        **training_inputs,
        hyperparameters=search[0].outputs["best_hyperparameters"] if search else None,
        custom_config=job.to_config(),
    )

    last_blessed = _last_blessed(config, trainer.outputs["model"])

    # float32 is the TFLite model that the Trainer itself made.
    quantizers = {
        name: Quantizer(
            examples=example_gen.outputs["examples"],
            transform_graph=transform.outputs["transform_graph"],
            model=trainer.outputs["model"],
            job=json.dumps(job.to_config()),
            recipe=name,
        ).with_id(f"Quantizer.{name}")
        for name in config.recipes
        if name != FLOAT32.name
    }
    device_models = {
        name: quantizers[name].outputs["quantized_model"]
        if name in quantizers
        else trainer.outputs["model"]
        for name in config.recipes
    }
    shipping = ship(
        config,
        examples=example_gen.outputs["examples"],
        schema=schema.outputs["schema"],
        server_model=trainer.outputs["model"],
        device_models=device_models,
        baseline_model=last_blessed[0].outputs[baseline.MODEL] if last_blessed else None,
    )

    personalizing = personalize(
        config,
        job,
        examples=example_gen.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        model=trainer.outputs["model"],
    )

    components = [
        example_gen,
        schema,
        statistics_gen,
        validator,
        gate,
        transform,
        *search,
        trainer,
        *last_blessed,
        *quantizers.values(),
        *shipping.components,
        *personalizing.components,
    ]
    reported = {
        "comparison": shipping.comparison.outputs["comparison"],
        "examples": example_gen.outputs["examples"],
        "model_run": trainer.outputs["model_run"],
        "server_push": shipping.push_to_server.outputs["pushed_model"],
        "device_push": shipping.push_to_device.outputs["pushed_model"],
        **personalizing.reported,
    }
    report = Report(
        **reported,
        data_source=data.source,
        is_fallback=int(data.is_fallback),
        graph=json.dumps({**_graph(components), "Report": _producers(reported.values())}),
        metadata_location=config.metadata_location if config.has_metadata_store else "",
        pipeline_name=config.pipeline_name,
    )

    components.append(report)
    if stores.is_uri(config.pipeline_root):
        staging.stage(components, beam=config.stage_beam)
    attach_digests(components)
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=components,
        metadata_connection_config=connection_config(config.metadata_location),
        beam_pipeline_args=list(config.beam_args),
        enable_cache=True,
    )


def training_job(config: PipelineConfig) -> TrainingJob:
    """Returns what the Trainer is asked to do."""
    digests = [loading.digest(config.model)]
    if config.params:
        path = Path(config.params)
        digests.append(str(folder_sha256(path) if path.is_dir() else file_sha256(path)))
    return TrainingJob(
        config.dataset.task,
        config.model,
        config.train,
        config.params,
        tuple(digests),
        config.batch_sizes,
    )


def _tuners(config: PipelineConfig, inputs: Mapping[str, Any], job: TrainingJob) -> list[Tuner]:
    """Returns the Tuner that takes what the Trainer takes, or nothing where none is wanted."""
    if not config.tuner_trials or config.params:
        return []
    epochs = min(config.trial_epochs, config.train.epochs)
    trial = replace(job, train=replace(job.train, epochs=epochs))
    custom_config = {**trial.to_config(), "trials": config.tuner_trials}
    return [Tuner(tuner_fn=f"{tuner.__name__}.tuner_fn", **inputs, custom_config=custom_config)]


def _last_blessed(config: PipelineConfig, model: BaseChannel) -> list[Resolver]:
    """Returns what finds the model that a new one must keep up with, or nothing where it cannot."""
    if not config.has_metadata_store:
        return []
    resolver = Resolver(
        strategy_class=baseline.BlessedBeforeCandidate,
        **{
            baseline.CANDIDATE: model,
            baseline.MODEL: Channel(type=Model),
            baseline.BLESSING: Channel(
                type=ModelBlessing, producer_component_id="Comparison", output_key="server_blessing"
            ),
        },
    )
    return [resolver.with_id("LastBlessedModel")]


def _graph(components: Iterable[BaseNode]) -> dict[str, list[str]]:
    """Returns the ids of the nodes that each node waits for."""
    return {
        node.id: sorted(
            {*_producers(node.inputs.values()), *(other.id for other in node.upstream_nodes)}
        )
        for node in components
    }


def _producers(channels: Iterable[BaseChannel]) -> list[str]:
    return sorted({name for channel in channels for name in channel.get_data_dependent_node_ids()})
