"""What is told of a model: a frozen dataclass for each kind, which `dataclasses.asdict` takes."""

import dataclasses
from typing import Literal

Shape = tuple[int | None, ...] | None  # None for any length of an axis, or for any shape at all


@dataclasses.dataclass(frozen=True)
class Quantization:
    """Real values are (integer - zero point) * scale, with one of each or one for each slice.

    Attributes:
      scales: of the slices along `axis`.
      zero_points: the same.
      axis: that the slices lie along; 0 where there is but one.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0


@dataclasses.dataclass(frozen=True)
class Tensor:
    """What goes into a signature, or comes out."""

    name: str
    dtype: str
    shape: Shape
    quantization: Quantization | None = None


@dataclasses.dataclass(frozen=True)
class Signature:
    """A way to call a model, "" for the graph of a `.tflite` that names none."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Operator:
    """How often an operator occurs.

    Attributes:
      name: as its format calls it.
      count: how often.
      xnnpack: how many of them XNNPACK takes; None where that is not known, or not asked.
    """

    name: str
    count: int
    xnnpack: int | None = None


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Constants or variables of one dtype: how many numbers, in how many bytes."""

    dtype: str
    numbers: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class Variable:
    """A variable of a SavedModel."""

    name: str
    dtype: str
    shape: Shape
    numbers: int


@dataclasses.dataclass(frozen=True)
class FineTuning:
    """Whether Keras and TF Hub could train a SavedModel further.

    Attributes:
      is_possible: whether they could.
      reason: in a sentence, why not, or what makes it so.
      trainable: what would be trained.
    """

    is_possible: bool
    reason: str
    trainable: tuple[Variable, ...]


@dataclasses.dataclass(frozen=True)
class DeviceModel:
    """What a `.tflite` offers.

    Attributes:
      path: as it was given.
      bytes: of the file.
      description: what its converter wrote into it.
      signatures: how it is called.
      operators: of all its graphs, the most frequent first.
      parameters: its weights, by dtype.
      problem: why LiteRT does not take it; "" where it does.
      kind: tells the two dataclasses apart in JSON.
    """

    path: str
    bytes: int
    description: str
    signatures: tuple[Signature, ...]
    operators: tuple[Operator, ...]
    parameters: tuple[Parameters, ...]
    problem: str
    kind: Literal["tflite"] = "tflite"


@dataclasses.dataclass(frozen=True)
class ServerModel:
    """What a SavedModel offers.

    Attributes:
      path: as it was given.
      bytes: of all files in the folder.
      graph_bytes: of the graph.
      variable_bytes: of the files with the variables.
      tags: by which it is loaded.
      tensorflow: the version that wrote it.
      signatures: how it is called by name.
      operators: of all that can be called, each function once, the most frequent first.
      stablehlo: the operations of JAX's functions inside; None where they cannot be read.
      unknown_operators: those that this TensorFlow does not know.
      reaching_operators: those that would read or write files, or run Python, once called.
      parameters: its variables, by dtype.
      constants: floating-point numbers that are part of the graph.
      batch_sizes: how many examples it was traced for, None for any number.
      fine_tuning: whether it can be trained further.
      kind: tells the two dataclasses apart in JSON.
    """

    path: str
    bytes: int
    graph_bytes: int
    variable_bytes: int
    tags: tuple[str, ...]
    tensorflow: str
    signatures: tuple[Signature, ...]
    operators: tuple[Operator, ...]
    stablehlo: tuple[Operator, ...] | None
    unknown_operators: tuple[str, ...]
    reaching_operators: tuple[str, ...]
    parameters: tuple[Parameters, ...]
    constants: int
    batch_sizes: tuple[int | None, ...]
    fine_tuning: FineTuning
    kind: Literal["saved_model"] = "saved_model"
