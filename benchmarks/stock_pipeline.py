"""The peer of `pipeline_overhead`: the same steps with TFX's components as they come.

Run as `python -m benchmarks.stock_pipeline` with the settings of a run in the environment.
TFRecords are written beforehand and imported, Transform materializes its examples and computes
statistics, and the metrics are TFMA's own classes. The Trainer is this project's.
"""

import dataclasses
import os
import sys
from pathlib import Path

import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx.components import (
    Evaluator,
    ExampleValidator,
    ImportExampleGen,
    SchemaGen,
    StatisticsGen,
    Trainer,
    Transform,
)
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2, trainer_pb2

from data import hard
from data.files import PROJECT_ROOT
from data.splits import Split
from modules import features
from pipeline.config import PipelineConfig
from pipeline.settings import config_from_environment
from pipeline.verdict import tfma_config
from pipeline.verdict.limits import Limits


def write_records(config: PipelineConfig, folder: Path) -> None:
    """Writes the splits as gzipped TFRecords, one file each; not part of what is timed."""
    data = config.dataset
    folder.mkdir(parents=True)
    for split in Split:
        images, labels = data.features(Split.EVAL if split == Split.HARD else split)
        if split == Split.HARD:
            shaped = images.reshape(-1, *data.task.image_shape)
            images = hard.make_hard(shaped, 0).reshape(images.shape)
        with tf.io.TFRecordWriter(str(folder / f"{split}.gz"), "GZIP") as writer:
            for pixels, label in zip(images, labels, strict=True):
                example = tf.train.Example()
                feature = example.features.feature
                feature[features.IMAGE_FLOATS].float_list.value.extend(pixels)
                feature[features.IMAGE_CLASS].int64_list.value.append(label)
                feature[features.IMAGE_SET].bytes_list.value.append(split.encode())
                writer.write(example.SerializeToString())


def stock_eval_config(model_type: str, num_classes: int, examples: int) -> tfma.EvalConfig:
    """Returns the project's EvalConfig with TFMA's Precision and Recall, one for each class."""
    anything = Limits(min_accuracy=0.0, max_drop_from_last=1.0)
    config = tfma_config.eval_config(model_type, num_classes, examples, anything)
    metrics = config.metrics_specs[0].metrics
    for metric in [metric for metric in metrics if metric.class_name.startswith("PerClass")]:
        metrics.remove(metric)
    for name in ("Precision", "Recall"):
        for label in range(num_classes):
            metrics.add(class_name=name, config=f'{{"top_k": 1, "class_id": {label}}}')
    return config


def stock_pipeline(config: PipelineConfig, records: Path) -> Pipeline:
    """Returns the pipeline from TFRecords to two Evaluators."""
    splits = [example_gen_pb2.Input.Split(name=split, pattern=f"{split}.gz") for split in Split]
    examples = ImportExampleGen(
        input_base=str(records), input_config=example_gen_pb2.Input(splits=splits)
    )
    statistics = StatisticsGen(examples=examples.outputs["examples"], exclude_splits=[Split.HARD])
    schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=True)
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        module_file=str(PROJECT_ROOT / "modules" / "preprocessing.py"),
    )
    trainer = Trainer(
        module_file=str(PROJECT_ROOT / "modules" / "run_fn.py"),
        examples=examples.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=trainer_pb2.TrainArgs(),
        eval_args=trainer_pb2.EvalArgs(),
        custom_config={
            **dataclasses.asdict(config.train),
            "num_classes": config.dataset.task.num_classes,
        },
    )
    evaluators = [
        Evaluator(
            examples=examples.outputs["examples"],
            example_splits=[Split.EVAL, Split.HARD],
            model=trainer.outputs["model"],
            schema=schema.outputs["schema"],
            eval_config=stock_eval_config(
                model_type, config.dataset.task.num_classes, config.dataset.eval_examples
            ),
        ).with_id(f"Evaluator.{model_type}")
        for model_type in (tfma_config.TF_SAVED_MODEL, tfma_config.TF_LITE)
    ]
    return Pipeline(
        pipeline_name="stock",
        pipeline_root=config.pipeline_root,
        metadata_connection_config=sqlite_metadata_connection_config(str(config.metadata_file)),
        components=[examples, statistics, schema, validator, transform, trainer, *evaluators],
        beam_pipeline_args=list(config.beam_args),
    )


def main() -> None:
    """Writes the records with the argument `write`, otherwise runs the pipeline over them."""
    config = config_from_environment(os.environ)
    records = config.output / "records"
    if sys.argv[1:] == ["write"]:
        write_records(config, records)
    else:
        LocalDagRunner().run(stock_pipeline(config, records))


if __name__ == "__main__":
    main()
