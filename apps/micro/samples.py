"""A few images of the model's data set, for an example that can be tried without a camera."""

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np

from apps.micro import tflm
from apps.micro.model_file import ModelFile
from data.errors import ConfigError
from data.resolve import known_task
from data.splits import Split
from data.task import Task
from pipeline import setting_values
from pipeline.storage import locations

COUNT = 3
_LOOKED_AT = 96  # images, which takes TensorFlow Lite Micro a second or so


@dataclasses.dataclass(frozen=True)
class Samples:
    """Images, and what they show.

    Attributes:
      source: where they come from, in a few words.
      places: among the test images.
      inputs: int8[N, *shape of the input without the batch], N at most COUNT.
      labels: places of the true labels.
      answers: of the model, for more images than these.
    """

    source: str
    places: tuple[int, ...]
    inputs: np.ndarray
    labels: tuple[int, ...]
    answers: tflm.Answers


def choose(environment: Mapping[str, str], task: Task, model: ModelFile) -> Samples:
    """Returns test images of different classes, if there are as many, that the model reads rightly.

    Where it does not read as many, others stand in for them.

    Args:
      environment: the settings; DATASET, or else the task's name, says which data set.
      task: of the model.
      model: to ask.

    Raises:
      ConfigError: the data set is not known, or another one.
      DataError: it cannot be had, or TensorFlow Lite Micro does not run the model.
    """
    wanted = _data_set(environment, task)
    found, _ = locations.data_set(
        {**environment, "DATASET": wanted}, setting_values.image_size(environment)
    )
    theirs = found.task.image_shape, found.task.label_names
    if theirs != (task.image_shape, task.label_names):
        raise ConfigError(
            f"DATASET={wanted}: expected the data set that {model.path} was made of, with images "
            f"of {task.image_shape} and its {task.num_classes} labels; give that one, and "
            "IMAGE_SIZE as then"
        )
    count = min(_LOOKED_AT, found.eval_examples)
    images, labels = found.features(Split.EVAL, 0, count)
    inputs = model.input.integers(images).reshape(count, *model.input.shape[1:])
    answers = tflm.ask(model, inputs)
    places = _chosen(labels, answers.outputs.argmax(axis=1))
    truths = tuple(int(labels[place]) for place in places)
    return Samples(found.source, places, inputs[list(places)], truths, answers)


def _data_set(environment: Mapping[str, str], task: Task) -> str:
    given = environment.get("DATASET") or "auto"
    if given != "auto":
        return given
    if known_task(task.name) is None:
        raise ConfigError(
            f"DATASET is not set, and {task.name!r} is no data set that is known by name: give the "
            "folder or file of images that the model was made of"
        )
    return "auto" if task.name == "mnist" else task.name  # the offline digits will do for MNIST


def _chosen(labels: np.ndarray, said: np.ndarray) -> tuple[int, ...]:
    """Returns the places of images: first of new classes, and such as are read rightly."""
    places: list[int] = []
    for is_right, is_new in itertools.product((True, False), (True, False)):
        for place in map(int, np.flatnonzero((labels == said) == is_right)):
            others = {int(labels[other]) for other in places}
            is_wanted = place not in places and not (is_new and int(labels[place]) in others)
            if is_wanted and len(places) < COUNT:
                places.append(place)
    return tuple(places)
