"""Where models come from: the data, the network and the training, as the report tells it."""

import dataclasses

from data.task import Task


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What the models were trained and tested on.

    Attributes:
      name: of the data set.
      train_examples, eval_examples: how many there are.
      image_size: height and width that were asked for; None for the images' own.
    """

    name: str
    train_examples: int
    eval_examples: int
    image_size: tuple[int, int] | None


@dataclasses.dataclass(frozen=True)
class Training:
    """Where the models come from.

    Attributes:
      dataset: what the network was trained and tested on.
      task: what its images and labels are.
      model: the network's name.
      seed, epochs: of the training.
      trials: of the Tuner; 0 without one.
      params: where the parameters come from if they were given; "" for a training.
      batch_sizes: that the SavedModel takes; none for any.
      notes: sentences about the data.
    """

    dataset: Dataset
    task: Task
    model: str
    seed: int
    epochs: int
    trials: int
    params: str = ""
    batch_sizes: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
