"""The model for microcontrollers of a pushed package, and what a C program has to know of it."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from data.errors import ConfigError, DataError
from modules.export.recipes import INT8_IO
from modules.inference import litert
from serve.client.package import Package


@dataclasses.dataclass(frozen=True)
class Border:
    """The input or output tensor, of int8.

    Attributes:
      shape: with a batch of 1.
      scale: of a step; the real value is (integer - zero_point) * scale.
      zero_point: see there.
    """

    shape: tuple[int, ...]
    scale: float
    zero_point: int

    def integers(self, values: np.ndarray) -> np.ndarray:
        """Returns real values, of any shape, as what the tensor holds, int8."""
        return litert.quantize(values, self._details())

    def real(self, integers: np.ndarray) -> np.ndarray:
        """Returns what the tensor holds, int8, as float32."""
        return litert.dequantize(integers, self._details())

    def _details(self) -> dict:
        scales = np.array([self.scale], np.float32)
        parameters = {"scales": scales, "zero_points": np.array([self.zero_point])}
        return {"dtype": np.int8, "quantization_parameters": parameters}


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """A model in integers alone.

    Attributes:
      path: of the `.tflite` file.
      content: of it.
      input: takes an image.
      output: gives the logits.
      operators: of TFLite, in the order of execution.
      labels: of the logits.
    """

    path: Path
    content: bytes
    input: Border
    output: Border
    operators: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of the file, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def find(package: Package) -> ModelFile:
    """Returns the model of a package with a version.

    Raises:
      ConfigError: the package has none for microcontrollers.
      DataError: the file is damaged.
    """
    name = INT8_IO.name
    if name not in package.files:
        raise ConfigError(
            f"{package.version}: holds {', '.join(package.files) or 'no models'}, expected "
            f"{name}, the model for microcontrollers; `make run` with {name} among its RECIPES, "
            "and with limits that it passes, pushes one"
        )
    path = Path(package.version or "", package.files[name])
    try:
        content = path.read_bytes()
        interpreter = litert.make_interpreter(content, xnnpack=False)
        interpreter.allocate_tensors()
        [given], [made] = interpreter.get_input_details(), interpreter.get_output_details()
        operators = tuple(entry["op_name"] for entry in interpreter._get_ops_details())
        borders = _border(given), _border(made)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{path}: expected a model with one input and one output of int8 ({error}); "
            "`make inspect` says more of the file"
        ) from error
    classes = borders[1].shape[-1]
    if classes != package.task.num_classes:
        raise DataError(
            f"{path}: has {classes} outputs, but its model.json {package.task.num_classes} labels; "
            "push both again by `make run`"
        )
    return ModelFile(path, content, *borders, operators, package.task.label_names)


def _border(details: dict) -> Border:
    parameters = details["quantization_parameters"]
    [scale], [zero_point] = parameters["scales"], parameters["zero_points"]
    if details["dtype"] != np.int8:
        raise ValueError(f"{details['name']} is of {np.dtype(details['dtype']).name}")
    return Border(tuple(map(int, details["shape"])), float(scale), int(zero_point))
