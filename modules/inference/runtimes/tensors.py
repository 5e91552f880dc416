"""What a TFLite file says of its input and output, read without any code that it could crash."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from modules.inference import litert

_DTYPES = {
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.INT8: np.dtype("i1"),
    schema.TensorType.UINT8: np.dtype("u1"),
}
_MOST_DIMENSIONS = 8


class NotAModelError(ValueError):
    """A file that is no TFLite model with one input and one output; the message says why."""


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Attributes:
      dtype: of its numbers, little-endian.
      width: how many numbers a row has, for one image.
      scale: real values are (number - zero_point) * scale; None where the numbers are the values.
      zero_point: see there.
    """

    dtype: np.dtype
    width: int
    scale: float | None
    zero_point: int

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.dtype.itemsize * self.width

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Returns real values float32[N, width] as the tensor holds them."""
        return litert.quantize(values, self._details)

    def real(self, stored: np.ndarray) -> np.ndarray:
        """Returns what the tensor holds as real values float32[N, width]."""
        return litert.dequantize(stored, self._details)

    @property
    def _details(self) -> dict[str, Any]:
        """What LiteRT's interpreter would say of its quantization."""
        scales = [] if self.scale is None else [self.scale]
        quantization = {
            "scales": np.array(scales, np.float32),
            "zero_points": np.array([self.zero_point] * len(scales), np.int32),
        }
        return {"dtype": self.dtype, "quantization_parameters": quantization}


def borders(path: Path) -> tuple[Tensor, Tensor]:
    """Returns input and output of a TFLite file.

    Raises:
      OSError: it cannot be read.
      NotAModelError: it is no TFLite file, or has several inputs or outputs.
    """
    content = path.read_bytes()
    try:
        if not schema.Model.ModelBufferHasIdentifier(content, 0):
            raise NotAModelError(f"{path.name} is no TFLite file")
        model = schema.Model.GetRootAs(content, 0)
        if model.SignatureDefsLength() > 1:
            raise NotAModelError(
                f"{path.name} has {model.SignatureDefsLength()} signatures, expected one"
            )
        graph = model.Subgraphs(0)
        counts = graph.InputsLength(), graph.OutputsLength()
        if counts != (1, 1):
            raise NotAModelError(
                f"{path.name} has {counts[0]} inputs and {counts[1]} outputs, expected one of each"
            )
        return _tensor(graph.Tensors(graph.Inputs(0))), _tensor(graph.Tensors(graph.Outputs(0)))
    except NotAModelError:
        raise
    # What comes of a damaged file depends on where the offsets in it happen to lead.
    except (struct.error, AttributeError, TypeError, ValueError, IndexError) as error:
        raise NotAModelError(f"{path.name} is not a whole TFLite file: {error}") from error


def _tensor(tensor: schema.Tensor) -> Tensor:
    dtype = _DTYPES.get(tensor.Type())
    sizes = [tensor.Shape(axis) for axis in range(min(tensor.ShapeLength(), _MOST_DIMENSIONS))]
    width = int(np.prod(sizes[1:], dtype=np.int64))
    if dtype is None or not sizes or width < 1:
        raise NotAModelError(
            f"input or output of type {tensor.Type()} and shape {sizes}: expected rows of float32, "
            "int8 or uint8"
        )
    known, scale, zero_point = tensor.Quantization(), None, 0
    if dtype.kind in "iu" and known is not None and known.ScaleLength() == 1:
        scale = float(known.Scale(0))
        zero_point = int(known.ZeroPoint(0)) if known.ZeroPointLength() else 0
    return Tensor(dtype, width, scale, zero_point)
