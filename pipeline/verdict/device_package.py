"""Packs the device models that may ship: the TFLite files and what an app must know of them."""

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from data.files import file_sha256
from data.task import Drawing, Task
from modules import features
from modules.export.recipes import RECIPES
from modules.inference import litert
from pipeline.verdict.verdict import JudgedModel, Latency, Metrics

MANIFEST_FILE = "model.json"


@dataclasses.dataclass(frozen=True)
class Input:
    """What every model of a package is given.

    Attributes:
      name: of the tensor.
      shape: of the tensor, of any number of images.
      image_shape: height, width and channels, which the tensor has in a row.
      range: of the numbers.
      layout: how an image becomes a row.
      drawing: how a drawing becomes an image, see `data.drawing`; None where it is only resized.
    """

    name: str
    shape: tuple[int | None, ...]
    image_shape: tuple[int, int, int]
    range: tuple[float, float]
    layout: str
    drawing: Drawing | None


@dataclasses.dataclass(frozen=True)
class Output:
    """What every model of a package returns."""

    name: str
    meaning: str


@dataclasses.dataclass(frozen=True)
class Quantization:
    """Real values are (integer - zero_point) * scale."""

    scale: float
    zero_point: int


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output of one file; None in its shape is any number of images."""

    dtype: str
    shape: tuple[int | None, ...]
    quantization: Quantization | None


@dataclasses.dataclass(frozen=True)
class PackedModel:
    """A file of the package, with its tensors and what the verdict says of it."""

    file: str
    summary: str
    sha256: str
    input: Tensor
    output: Tensor
    name: str
    bytes: int | None
    metrics: Metrics
    per_class_accuracy: Mapping[str, float]
    agreement: float | None
    latency_us: Mapping[str, Latency]


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The content of `model.json`.

    Attributes:
      task: its name.
      model: the network's name.
      input: of every model.
      output: of every model.
      labels: the names that the data set has for its classes, in the order of the logits.
      models: what is packed.
    """

    task: str
    model: str
    input: Input
    output: Output
    labels: tuple[str, ...]
    models: tuple[PackedModel, ...]


def pack(
    folder: Path,
    tflite_paths: Mapping[str, str],
    models: Sequence[JudgedModel],
    task: Task,
    model: str,
) -> None:
    """Writes `<recipe>.tflite` of every model, and `model.json`.

    Args:
      folder: is made.
      tflite_paths: the files, by the name of their recipe.
      models: those that are packed.
      task: what the images and the labels are.
      model: the network's name.
    """
    folder.mkdir(parents=True)
    height, width, channels = task.image_shape
    colours = ", red, green and blue of each pixel" if channels == 3 else ""
    manifest = Manifest(
        task=task.name,
        model=model,
        input=Input(
            name=features.IMAGE_FLOATS,
            shape=(None, task.num_pixels),
            image_shape=task.image_shape,
            range=(0.0, 1.0),
            layout=f"row-major {height}x{width}{colours}, black is 0",
            drawing=task.drawing,
        ),
        output=Output(features.LOGITS, meaning="logit of each label, before the softmax"),
        labels=task.label_names,
        models=tuple(_packed(folder, tflite_paths[judged.name], judged) for judged in models),
    )
    content = json.dumps(dataclasses.asdict(manifest), indent=2)
    (folder / MANIFEST_FILE).write_text(content + "\n")


def _packed(folder: Path, tflite_path: str, model: JudgedModel) -> PackedModel:
    """Copies the file of a model into the folder."""
    file = folder / f"{model.name}.tflite"
    shutil.copyfile(tflite_path, file)
    interpreter = litert.make_interpreter(str(file))
    return PackedModel(
        file=file.name,
        summary=RECIPES[model.name].summary,
        sha256=file_sha256(file),
        input=_tensor(interpreter.get_input_details()[0]),
        output=_tensor(interpreter.get_output_details()[0]),
        name=model.name,
        bytes=model.bytes,
        metrics=model.metrics,
        per_class_accuracy=model.per_class_accuracy,
        agreement=model.agreement,
        latency_us=model.latency_us,
    )


def _tensor(details: Mapping) -> Tensor:
    """Returns what LiteRT's `details` say of a tensor."""
    scale, zero_point = details["quantization"]
    return Tensor(
        dtype=np.dtype(details["dtype"]).name,
        shape=(None, *(int(size) for size in details["shape_signature"][1:])),
        quantization=Quantization(scale, zero_point) if scale else None,
    )
