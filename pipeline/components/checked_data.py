"""What ExampleGen is told about the data that was checked, as TFX hands on parameters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import wrappers_pb2
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from data.dataset import Dataset
from data.forms.reader import Options
from data.splits import Split
from data.task import Task


@dataclass(frozen=True)
class Checked:
    """What was found when a data set was checked, but not where it lies; see `Dataset`."""

    form: str
    options: Options
    task: Task
    range_digests: Mapping[Split, tuple[str, ...]]
    patterns: Mapping[Split, str]

    @classmethod
    def of(cls, dataset: Dataset) -> "Checked":
        """Returns what the component needs to know of a data set, wherever its files are."""
        return cls(
            dataset.form, dataset.options, dataset.task, dataset.range_digests, dataset.patterns
        )

    def packed(self) -> example_gen_pb2.CustomConfig:
        """Returns the parameter that TFX leaves to custom executors, the same for equal ones."""
        text = json.dumps({**vars(self), "task": self.task.to_json()}, sort_keys=True)
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(wrappers_pb2.StringValue(value=text))
        return config

    @classmethod
    def unpacked(cls, exec_properties: Mapping[str, Any]) -> "Checked":
        """Returns what `packed` put among the parameters of an executor."""
        config, text = example_gen_pb2.CustomConfig(), wrappers_pb2.StringValue()
        packed = exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
        proto_utils.json_to_proto(packed, config)
        config.custom_config.Unpack(text)
        values = json.loads(text.value)
        return cls(**{**values, "task": Task.from_json(values["task"])})
