"""What a training is asked to do, as components hand it on."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from data.task import Task
from modules.models import loading
from modules.models.network import Network
from modules.training.config import TrainConfig


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """What is trained, for what, and how.

    Attributes:
      task: whose images and labels they are.
      model: a name or the path of a Python file, as `loading.load` takes it.
      train: how to train.
      params: path of trained parameters that are exported instead; "" to train.
      digests: of the model's code and of the parameters, so that another content is another job.
      batch_sizes: that the SavedModel takes, in rising order; none for any.
    """

    task: Task
    model: str
    train: TrainConfig
    params: str = ""
    digests: tuple[str, ...] = ()
    batch_sizes: tuple[int, ...] = ()

    def network(self) -> Network:
        """Returns the network; raises data.errors.ConfigError where its file does not give one."""
        return Network(loading.load(self.model), self.task)

    def to_config(self) -> dict[str, Any]:
        """Returns the job as plain JSON, for TFX's `custom_config`.

        The model's module is named in it, so that its code counts as the component's.
        """
        module = loading.module_of(self.model)
        return {**dataclasses.asdict(self), "task": self.task.to_json(), "module": module}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TrainingJob":
        """Returns the job that `to_config` made plain, or TypeError."""
        return cls(
            task=Task.from_json(config["task"]),
            model=config["model"],
            train=TrainConfig(**config["train"]),
            params=config["params"],
            digests=tuple(config["digests"]),
            batch_sizes=tuple(config["batch_sizes"]),
        )
