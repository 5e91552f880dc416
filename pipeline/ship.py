"""From trained models to shipped ones: each evaluated, all compared, the blessed pushed."""

import dataclasses
from collections.abc import Mapping

from tfx.components import Pusher
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.proto import pusher_pb2
from tfx.types import BaseChannel

from data.splits import Split
from modules.inference import tflite_extractor
from pipeline.components import pusher
from pipeline.components.comparison import Comparison, Evaluated
from pipeline.components.evaluator import Evaluator
from pipeline.components.parity.component import RuntimeParity
from pipeline.config import PipelineConfig
from pipeline.verdict import tfma_config
from pipeline.verdict.origin import Dataset, Training


@dataclasses.dataclass(frozen=True)
class Shipping:
    """The components of `ship`."""

    evaluators: list[Evaluator]
    parity: list[RuntimeParity]
    comparison: Comparison
    push_to_server: Pusher
    push_to_device: Pusher

    @property
    def components(self) -> list[BaseComponent]:
        """All of them, in the order of the data flow."""
        pushers = (self.push_to_server, self.push_to_device)
        return [*self.evaluators, *self.parity, self.comparison, *pushers]


def ship(
    config: PipelineConfig,
    examples: BaseChannel,
    schema: BaseChannel,
    server_model: BaseChannel,
    device_models: Mapping[str, BaseChannel],
    baseline_model: BaseChannel | None = None,
) -> Shipping:
    """Returns the components that evaluate models, decide on them and push them.

    Args:
      config: of the pipeline.
      examples: with the splits eval and hard.
      schema: of the examples.
      server_model: a SavedModel, with the float32 device model beside it.
      device_models: models in TFLite's format by the name of their recipe.
      baseline_model: the model that a new one must keep up with, if there is one.
    """

    def evaluated(node_id: str, model: BaseChannel, model_type: str) -> tuple[Evaluator, Evaluated]:
        evaluator = Evaluator(
            examples=examples,
            example_splits=[Split.EVAL, Split.HARD],
            model=model,
            baseline_model=baseline_model,
            schema=schema,
            eval_config=tfma_config.eval_config(
                model_type,
                config.dataset.task.num_classes,
                config.dataset.eval_examples,
                config.limits,
            ),
            module_path=tflite_extractor.__name__ if model_type == tfma_config.TF_LITE else None,
        ).with_id(node_id)
        outputs = evaluator.outputs
        return evaluator, Evaluated(model, outputs["evaluation"], outputs["blessing"])

    server_evaluator, reference = evaluated("Evaluator", server_model, tfma_config.TF_SAVED_MODEL)
    device = {
        name: evaluated(f"Evaluator.{name}", model, tfma_config.TF_LITE)
        for name, model in device_models.items()
    }
    parity = []
    if config.runtimes:
        parity = [RuntimeParity(examples, device_models, config.runtimes, config.parity_images)]
    data = config.dataset
    comparison = Comparison(
        examples=examples,
        reference=reference,
        variants={name: variant for name, (_, variant) in device.items()},
        limits=config.limits,
        training=Training(
            dataset=Dataset(data.name, data.train_examples, data.eval_examples, data.image_size),
            task=data.task,
            model=config.model,
            seed=config.train.seed,
            epochs=config.train.epochs,
            trials=0 if config.params else config.tuner_trials,
            params=config.params,
            batch_sizes=config.batch_sizes,
            notes=data.notes,
        ),
        runtime_answers=parity[0].outputs["answers"] if parity else None,
    )
    push_to_server = pusher_of(
        config, server_model, comparison.outputs["server_blessing"], config.serving_dir
    )
    push_to_device = pusher_of(
        config,
        comparison.outputs["device_models"],
        comparison.outputs["device_blessing"],
        config.device_dir,
    ).with_id("Pusher.device")
    evaluators = [server_evaluator, *(evaluator for evaluator, _ in device.values())]
    return Shipping(evaluators, parity, comparison, push_to_server, push_to_device)


def pusher_of(
    config: PipelineConfig, model: BaseChannel, blessing: BaseChannel, folder: str
) -> Pusher:
    """Returns a Pusher of a model, if it is blessed, into the next version of a folder."""
    return Pusher(
        model=model,
        model_blessing=blessing,
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=folder)
        ),
        custom_executor_spec=ExecutorClassSpec(pusher.Executor),
        custom_config={pusher.PIPELINE_KEY: config.pipeline_name},
    )
