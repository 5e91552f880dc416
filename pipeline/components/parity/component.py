"""The RuntimeParity component: device models in, what every runtime makes of them out."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Examples, Model

from modules.export.recipes import RECIPES
from modules.inference.runtimes.catalogue import RUNTIMES
from pipeline.components.artifacts import RuntimeAnswers
from pipeline.components.parity.executor import EXAMPLES, IMAGES, OUTPUT, VERSIONS, Executor


class RuntimeParitySpec(ComponentSpec):
    """The inputs are the examples and a model for each recipe; see `RuntimeParity`."""

    PARAMETERS: ClassVar = {
        VERSIONS: ExecutionParameter(type=str),
        IMAGES: ExecutionParameter(type=int),
    }
    INPUTS: ClassVar = {
        EXAMPLES: ChannelParameter(type=Examples),
        **{name: ChannelParameter(type=Model, optional=True) for name in RECIPES},
    }
    OUTPUTS: ClassVar = {OUTPUT: ChannelParameter(type=RuntimeAnswers)}


class RuntimeParity(BaseComponent):
    """Runs each device model in every runtime on the same images; see `Executor`."""

    SPEC_CLASS = RuntimeParitySpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        models: Mapping[str, BaseChannel],
        runtimes: Sequence[str],
        images: int,
    ):
        """Takes the channels, and what is asked.

        Args:
          examples: with the split eval.
          models: the device models, by the names of their recipes.
          runtimes: names of `catalogue.RUNTIMES`; what is not installed is told as that.
          images: how many of the split, evenly spread over it; 0 for all.
        """
        super().__init__(
            RuntimeParitySpec(
                **{EXAMPLES: examples, IMAGES: images, OUTPUT: Channel(type=RuntimeAnswers)},
                # With the versions, so that what is installed later is run.
                **{VERSIONS: json.dumps({name: _version(name) for name in runtimes})},
                **models,
            )
        )


def _version(name: str) -> str | None:
    runtime = RUNTIMES[name]
    return None if runtime.missing() else runtime.version()
