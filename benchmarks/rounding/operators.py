"""The operators of an integer TFLite model one by one, each as a model and in numpy."""

import dataclasses

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from benchmarks.rounding.arithmetic import Rounding
from modules.export.graph import flatbuffer
from modules.inference import litert

_RELU = schema.ActivationFunctionType.RELU
_KERNEL_CHANNELS = {"DEPTHWISE_CONV_2D": 3, "CONV_2D": 0, "FULLY_CONNECTED": 0}


@dataclasses.dataclass(frozen=True)
class Operator:
    """One operator of a model.

    Attributes:
      index: its place in the model.
      kind: its TFLite name.
      name: of its result.
    """

    index: int
    kind: str
    name: str


def operators(path: str) -> list[Operator]:
    """Returns the operators of a model that compute something, in their order."""
    graph = flatbuffer.read_model(path).subgraphs[0]
    return [
        Operator(index, kind, graph.tensors[operator.outputs[0]].name.decode())
        for index, (operator, kind) in enumerate(
            zip(graph.operators, flatbuffer.operators(path), strict=True)
        )
        if kind != "RESHAPE"
    ]


def cut(path: str, first: int, last: int) -> bytes:
    """Returns a model of some operators of a model, from `first` to `last`.

    Its signature takes and gives what the whole one's does, under the same names; the tensors that
    are in between elsewhere have the shapes that they have there.
    """
    model = flatbuffer.read_model(path)
    graph = model.subgraphs[0]
    graph.operators = graph.operators[first : last + 1]
    source, result = graph.operators[0].inputs[0], graph.operators[-1].outputs[0]
    graph.inputs, graph.outputs = np.array([source], np.int32), np.array([result], np.int32)
    [signature] = model.signatureDefs
    signature.inputs[0].tensorIndex, signature.outputs[0].tensorIndex = source, result
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


class Convolution:
    """A convolution or a dense layer of integers, as exact sums and what they are multiplied by."""

    def __init__(self, path: str, operator: Operator):
        """Takes a model's path and one of its operators.

        Raises:
          KeyError: the operator is neither a convolution nor a dense layer.
        """
        self._channels = _KERNEL_CHANNELS[operator.kind]
        self._kind = operator.kind
        model = flatbuffer.read_model(path)
        graph = model.subgraphs[0]
        described = graph.operators[operator.index]
        self._options = described.builtinOptions
        source, kernel, bias = (graph.tensors[index] for index in described.inputs)
        result = graph.tensors[described.outputs[0]]
        self._zero, self._result_zero = (
            int(tensor.quantization.zeroPoint[0]) for tensor in (source, result)
        )
        self._kernel = _values(model, kernel, np.int8)
        self._bias = _values(model, bias, np.int32)
        scales = [np.asarray(x.quantization.scale, np.float64) for x in (source, kernel, result)]
        self._multipliers = scales[0] * scales[1] / scales[2]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Returns what the operator adds up, int64[N, ..., channels].

        Args:
          values: int8[N, ...], what it is given.
        """
        inputs = values.astype(np.float64) - self._zero  # whose products and sums are exact here
        kernel = self._kernel.astype(np.float64)
        if self._kind == "FULLY_CONNECTED":
            found = inputs.reshape(len(inputs), -1) @ kernel.T
        else:
            windows = self._windows(inputs)
            if self._kind == "CONV_2D":
                found = np.tensordot(windows, kernel, ([3, 4, 5], [3, 1, 2]))
            else:
                times = kernel.shape[3] // inputs.shape[3]
                found = np.einsum("nhwcij,ijc->nhwc", windows.repeat(times, 3), kernel[0])
        return found.astype(np.int64) + self._bias

    def _windows(self, inputs: np.ndarray) -> np.ndarray:
        """Returns the pixels under the filter, float64[N, H, W, C, height, width]."""
        height, width = self._kernel.shape[1:3]
        options = self._options
        if options.padding == schema.Padding.SAME:  # of steps of one pixel
            border = [((size - 1) // 2, size // 2) for size in (height, width)]
            inputs = np.pad(inputs, ((0, 0), *border, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(inputs, (height, width), (1, 2))
        return windows[:, :: options.strideH, :: options.strideW]

    def result(self, sums: np.ndarray, rounding: Rounding) -> np.ndarray:
        """Returns the operator's result int8[N, ..., channels] for what `sums` returned."""
        found = rounding(sums, np.broadcast_to(self._multipliers, sums.shape[-1:]))
        lowest = self._result_zero if self._options.fusedActivationFunction == _RELU else -128
        return np.clip(found + self._result_zero, max(lowest, -128), 127).astype(np.int8)


def _values(model: schema.ModelT, tensor: schema.TensorT, dtype: type) -> np.ndarray:
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    return data.view(dtype).reshape(tensor.shape)


def is_convolution(operator: Operator) -> bool:
    """Returns whether `Convolution` knows an operator."""
    return operator.kind in _KERNEL_CHANNELS


SIGNATURE = litert.SIGNATURE
