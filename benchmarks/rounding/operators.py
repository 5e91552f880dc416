"""The operators of an integer TFLite model one by one, each as a model and in numpy."""

import dataclasses

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from benchmarks.rounding.arithmetic import ROUNDINGS, Scales
from modules.export.graph import flatbuffer

_RELU = schema.ActivationFunctionType.RELU
_DENSE = "FULLY_CONNECTED"
_CONVOLUTIONS = ("DEPTHWISE_CONV_2D", "CONV_2D", _DENSE)


@dataclasses.dataclass(frozen=True)
class Operator:
    """One operator of a model.

    Attributes:
      index: its place in the model.
      kind: its TFLite name.
      name: of its result.
      input_shape: of what it computes that from, for one image.
      has_ones: it is a convolution whose filter holds one number only, as a pool's does.
    """

    index: int
    kind: str
    name: str
    input_shape: tuple[int, ...]
    has_ones: bool

    @property
    def is_convolution(self) -> bool:
        """Whether `Convolution` knows it."""
        return self.kind in _CONVOLUTIONS


def operators(path: str) -> list[Operator]:
    """Returns the operators of a model that compute something, in their order."""
    model = flatbuffer.read_model(path)
    graph = model.subgraphs[0]
    found = []
    for index, (operator, kind) in enumerate(
        zip(graph.operators, flatbuffer.operator_names(model), strict=True)
    ):
        source, *others = (graph.tensors[each] for each in operator.inputs)
        result = graph.tensors[operator.outputs[0]].name.decode()
        shape = tuple(int(length) for length in source.shape[1:])
        ones = kind in _CONVOLUTIONS and len(set(model.buffers[others[0].buffer].data)) == 1
        if kind != "RESHAPE":
            found.append(Operator(index, kind, result, shape, ones))
    return found


def cut(path: str, first: int, last: int) -> bytes:
    """Returns a model of a model's operators from `first` to `last`, each with one result."""
    model = flatbuffer.read_model(path)
    graph = model.subgraphs[0]
    graph.operators = graph.operators[first : last + 1]
    source, result = graph.operators[0].inputs[0], graph.operators[-1].outputs[0]
    graph.inputs, graph.outputs = np.array([source], np.int32), np.array([result], np.int32)
    model.signatureDefs = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def with_plain_pools(path: str) -> bytes:
    """Returns the model with pools that are convolutions by 1 without a bias.

    So they are written most simply: the mean is the sum by 1 / (height * width).
    """
    model = flatbuffer.read_model(path)
    graph = model.subgraphs[0]
    for operator in operators(path):
        if not operator.has_ones:
            continue
        source, kernel, bias = (
            graph.tensors[index] for index in graph.operators[operator.index].inputs
        )
        size = int(np.prod(kernel.shape))
        kernel.quantization.scale = np.float32([1 / np.prod(kernel.shape[1:3])])
        bias.quantization.scale = kernel.quantization.scale * source.quantization.scale[0]
        model.buffers[kernel.buffer].data = np.ones(size, np.uint8)
        model.buffers[bias.buffer].data = np.zeros(4 * int(bias.shape[0]), np.uint8)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


class Convolution:
    """A convolution or dense layer of integers: exact sums, which are rounded in a way to choose.

    It knows the filters that the project's networks have: steps of one pixel where it is padded.
    """

    def __init__(self, path: str, operator: Operator):
        """Takes a model's path and one of its operators, which `is_convolution`."""
        model = flatbuffer.read_model(path)
        graph = model.subgraphs[0]
        described = graph.operators[operator.index]
        self._operator, self._options = operator, described.builtinOptions
        source, kernel, bias = (graph.tensors[index] for index in described.inputs)
        result = graph.tensors[described.outputs[0]]
        self._zeros = [int(tensor.quantization.zeroPoint[0]) for tensor in (source, result)]
        self._kernel = _values(model, kernel, np.int8).astype(np.float64)
        self._bias = _values(model, bias, np.int32)
        scales = [np.asarray(x.quantization.scale, np.float32) for x in (source, kernel, result)]
        spread = np.broadcast_to(scales[1], self._bias.shape)
        self._scales = Scales(scales[0][0], spread, scales[2][0])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Returns what the operator adds up of int8[N, numbers], int64[N, ..., channels]."""
        inputs = values.astype(np.float64) - self._zeros[0]  # whose products and sums are exact
        if self._operator.kind == _DENSE:
            found = inputs @ self._kernel.T
        else:
            windows = self._windows(inputs.reshape(len(values), *self._operator.input_shape))
            if self._operator.kind == "CONV_2D":
                found = np.tensordot(windows, self._kernel, ([3, 4, 5], [3, 1, 2]))
            else:
                times = self._kernel.shape[3] // windows.shape[3]
                repeated = windows.repeat(times, axis=3)
                found = np.einsum("nhwcij,ijc->nhwc", repeated, self._kernel[0])
        return found.astype(np.int64) + self._bias

    def _windows(self, inputs: np.ndarray) -> np.ndarray:
        """Returns the pixels under the filter, float64[N, H, W, C, height, width]."""
        height, width = self._kernel.shape[1:3]
        options = self._options
        if options.padding == schema.Padding.SAME:
            border = [((size - 1) // 2, size // 2) for size in (height, width)]
            inputs = np.pad(inputs, ((0, 0), *border, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(inputs, (height, width), (1, 2))
        return windows[:, :: options.strideH, :: options.strideW]

    def results(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the result of each rounding, int8[N, numbers], for int8[N, numbers]."""
        sums, zero = self.sums(values), self._zeros[1]
        lowest = max(zero, -128) if self._options.fusedActivationFunction == _RELU else -128
        return {
            name: np.clip(rounded(sums, self._scales) + zero, lowest, 127)
            .astype(np.int8)
            .reshape(len(values), -1)
            for name, rounded in ROUNDINGS.items()
        }


def _values(model: schema.ModelT, tensor: schema.TensorT, dtype: type) -> np.ndarray:
    data = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    return data.view(dtype).reshape(tensor.shape)
