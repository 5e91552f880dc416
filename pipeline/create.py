"""The pipeline: its components in the order of the data flow."""

import json
from dataclasses import asdict
from pathlib import Path

from tfx.components import (
    Evaluator,
    ExampleValidator,
    Pusher,
    StatisticsGen,
    Trainer,
    Transform,
)
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, trainer_pb2
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from modules import preprocessing, run_fn
from pipeline import baseline, evaluation, server_pusher
from pipeline.comparison_component import Comparison
from pipeline.config import PipelineConfig
from pipeline.example_gen import idx_example_gen
from pipeline.report_component import Report
from pipeline.source_digest import source_digest
from pipeline.validation import AnomalyGate, CuratedSchema, curated_schema

_FEATURES = "modules/features.py"


def create_pipeline(config: PipelineConfig) -> Pipeline:
    """Returns the pipeline that trains once and evaluates, compares and pushes two formats."""
    data = config.dataset
    example_gen = idx_example_gen(str(data.train_images.parent))

    # The data is checked against the schema before anything is learnt from it.
    schema = CuratedSchema(schema_text=curated_schema(data.num_classes))
    statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"])
    validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema.outputs["schema"]
    )
    gate = AnomalyGate(
        anomalies=validator.outputs["anomalies"],
        source_digest=source_digest("pipeline/validation.py"),
    )

    # Only the graph is kept: the Trainer applies it itself, and both exports contain it.
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schema.outputs["schema"],
        # With `module_file`, TFX would build a wheel and install it several times in each run. The
        # digest does what else it is for: an edit is noticed.
        preprocessing_fn=f"{preprocessing.__name__}.preprocessing_fn",
        custom_config={"source_digest": source_digest("modules/preprocessing.py", _FEATURES)},
        materialize=False,
        disable_statistics=True,
    )
    transform.add_upstream_node(gate)

    trainer = Trainer(
        run_fn=f"{run_fn.__name__}.run_fn",
        examples=example_gen.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            **asdict(config.train),
            "num_classes": data.num_classes,
            "source_digest": source_digest("modules/*.py"),
        },
    )

    last_blessed = Resolver(
        strategy_class=baseline.BlessedBeforeCandidate,
        **{
            baseline.CANDIDATE: trainer.outputs["model"],
            baseline.MODEL: Channel(type=Model),
            baseline.BLESSING: Channel(
                type=ModelBlessing, producer_component_id="Evaluator", output_key="blessing"
            ),
        },
    ).with_id("LastBlessedModel")

    def evaluator(model_type: str, node_id: str) -> Evaluator:
        return Evaluator(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            baseline_model=last_blessed.outputs[baseline.MODEL],
            schema=schema.outputs["schema"],
            eval_config=evaluation.eval_config(
                model_type,
                data.num_classes,
                config.limits.min_accuracy,
                config.limits.max_drop_from_last,
            ),
        ).with_id(node_id)

    server_evaluator = evaluator(evaluation.TF_SAVED_MODEL, "Evaluator")
    device_evaluator = evaluator(evaluation.TF_LITE, "Evaluator.float32")

    comparison = Comparison(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        server_evaluation=server_evaluator.outputs["evaluation"],
        server_blessing=server_evaluator.outputs["blessing"],
        device_evaluation=device_evaluator.outputs["evaluation"],
        device_blessing=device_evaluator.outputs["blessing"],
        limits=asdict(config.limits),
        run=json.dumps(
            {
                "dataset": {
                    "name": data.name,
                    "train_examples": data.train_examples,
                    "eval_examples": data.eval_examples,
                },
                "seed": config.train.seed,
                "epochs": config.train.epochs,
            }
        ),
        source_digest=source_digest("pipeline/comparison*.py"),
    )

    push_to_server = Pusher(
        model=trainer.outputs["model"],
        model_blessing=server_evaluator.outputs["blessing"],
        push_destination=_folder(config.serving_dir),
        custom_executor_spec=ExecutorClassSpec(server_pusher.Executor),
    )
    push_to_device = Pusher(
        model=comparison.outputs["device_model"],
        model_blessing=comparison.outputs["blessing"],
        push_destination=_folder(config.device_dir),
    ).with_id("Pusher.device")

    report = Report(
        comparison=comparison.outputs["comparison"],
        examples=example_gen.outputs["examples"],
        model_run=trainer.outputs["model_run"],
        server_evaluation=server_evaluator.outputs["evaluation"],
        device_evaluation=device_evaluator.outputs["evaluation"],
        server_push=push_to_server.outputs["pushed_model"],
        device_push=push_to_device.outputs["pushed_model"],
        data_source=data.source,
        is_fallback=int(data.is_fallback),
        source_digest=source_digest("pipeline/report*.py", "pipeline/templates/*"),
    )

    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=str(config.pipeline_root),
        components=[
            example_gen,
            schema,
            statistics_gen,
            validator,
            gate,
            transform,
            trainer,
            last_blessed,
            server_evaluator,
            device_evaluator,
            comparison,
            push_to_server,
            push_to_device,
            report,
        ],
        metadata_connection_config=sqlite_metadata_connection_config(str(config.metadata_file)),
        beam_pipeline_args=list(config.beam_args),
        enable_cache=True,
    )


def _folder(path: Path) -> pusher_pb2.PushDestination:
    return pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(path))
    )
