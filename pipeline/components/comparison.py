"""The Comparison component: evaluations and models in; verdicts, blessing and package out."""

import dataclasses
import json
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation

from modules.export.recipes import RECIPES
from pipeline.components.artifacts import ModelComparison, RuntimeAnswers
from pipeline.components.comparison_executor import (
    BLESSING,
    EVALUATION,
    MODEL,
    RUNTIME_ANSWERS,
    Executor,
)
from pipeline.verdict.limits import Limits
from pipeline.verdict.origin import Training
from pipeline.verdict.verdict import REFERENCE


class Evaluated(NamedTuple):
    """The channels of one model and of what its Evaluator made of it."""

    model: BaseChannel
    evaluation: BaseChannel
    blessing: BaseChannel


def _inputs_of(name: str, optional: bool) -> dict[str, ChannelParameter]:
    types = {MODEL: Model, EVALUATION: ModelEvaluation, BLESSING: ModelBlessing}
    return {
        f"{name}_{kind}": ChannelParameter(type=artifact_type, optional=optional)
        for kind, artifact_type in types.items()
    }


class ComparisonSpec(ComponentSpec):
    """`limits` and `training` are JSON; the inputs are one set of `Evaluated` for each model."""

    PARAMETERS: ClassVar = {name: ExecutionParameter(type=str) for name in ("limits", "training")}
    INPUTS: ClassVar = {
        "examples": ChannelParameter(type=Examples),
        RUNTIME_ANSWERS: ChannelParameter(type=RuntimeAnswers, optional=True),
        **_inputs_of(REFERENCE, optional=False),
        **{key: value for name in RECIPES for key, value in _inputs_of(name, True).items()},
    }
    OUTPUTS: ClassVar = {
        "comparison": ChannelParameter(type=ModelComparison),
        "server_blessing": ChannelParameter(type=ModelBlessing),
        "device_blessing": ChannelParameter(type=ModelBlessing),
        "device_models": ChannelParameter(type=Model),
    }


class Comparison(BaseComponent):
    """Compares device models with the SavedModel they come from; see `Executor`."""

    SPEC_CLASS = ComparisonSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        reference: Evaluated,
        variants: Mapping[str, Evaluated],
        limits: Limits,
        training: Training,
        runtime_answers: BaseChannel | None = None,
    ):
        """Takes the channels, and what else decides.

        Args:
          examples: the splits eval and hard, on which every model is run once more.
          reference: the SavedModel, with the float32 device model beside it.
          variants: the device models, by the names of their recipes.
          limits: what a model must reach to be pushed.
          training: where the models come from, copied into comparison.json.
          runtime_answers: what other runtimes make of the device models, where that was asked.
        """
        channels = {
            f"{name}_{kind}": channel
            for name, model in {REFERENCE: reference, **variants}.items()
            for kind, channel in model._asdict().items()
        }
        if runtime_answers:
            channels[RUNTIME_ANSWERS] = runtime_answers
        super().__init__(
            ComparisonSpec(
                examples=examples,
                **channels,
                limits=json.dumps(dataclasses.asdict(limits)),
                training=json.dumps(dataclasses.asdict(training)),
                comparison=Channel(type=ModelComparison),
                server_blessing=Channel(type=ModelBlessing),
                device_blessing=Channel(type=ModelBlessing),
                device_models=Channel(type=Model),
            )
        )
