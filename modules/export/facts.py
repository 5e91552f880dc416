"""What there is to know of a device model beside its numbers; nothing here refuses one."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema

from modules.export.graph import flatbuffer
from modules.export.recipes import SMALLEST_QUANTIZED, Recipe
from modules.inference.delegation import Layers

# Where an operator has what TFLite's converter quantizes on its own, by the place of its input.
_KERNELS = {
    "CONV_2D": (1,),
    "DEPTHWISE_CONV_2D": (1,),
    "FULLY_CONNECTED": (1,),
    "TRANSPOSE_CONV": (1,),
    "BATCH_MATMUL": (0, 1),
}
_CASTS = ("QUANTIZE", "DEQUANTIZE")
_FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)
_FLOAT32_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Baseline:
    """What a network needs as TFLite's converter sees it: counted in its own float32 model.

    Attributes:
      operators: how many there are.
      weights: numbers in constant arrays.
      large_kernels: of these, how many are in kernels that are large enough to be quantized.
      overhead_bytes: of the file, without the weights.
    """

    operators: int
    weights: int
    large_kernels: int
    overhead_bytes: int

    def expected_bytes(self, recipe: Recipe) -> int:
        """Returns what the weights take by a recipe; more were not quantized."""
        others = self.weights - self.large_kernels
        return _FLOAT32_BYTES * others + recipe.weight_bytes * self.large_kernels


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was found out about a device model.

    Attributes:
      operators: how many it has.
      undelegated: operators that XNNPACK leaves to TFLite's own kernels, which are slower: the
        names of what they compute, after the layers, by operator.
      kept_in_float: the same of operators that a quantized model computes in float32.
      fixed_batch: whether it takes one image at a time.
      baseline: of the network.
    """

    operators: int
    undelegated: Layers
    kept_in_float: Layers
    fixed_batch: bool
    baseline: Baseline

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Facts":
        """Returns the facts that `dataclasses.asdict` and JSON made a dict of."""
        layers = {
            name: {operator: tuple(names) for operator, names in values[name].items()}
            for name in ("undelegated", "kept_in_float")
        }
        return cls(**{**values, **layers, "baseline": Baseline(**values["baseline"])})


def baseline_of(path: str) -> Baseline:
    """Returns what the float32 model of a network needs."""
    model = flatbuffer.read_model(path)
    graph, names = model.subgraphs[0], flatbuffer.operator_names(model)
    sizes = {
        index: size
        for index, size in _constant_sizes(model)
        if graph.tensors[index].type in _FLOATS
    }
    kernels = {
        int(operator.inputs[place])
        for operator, name in zip(graph.operators, names, strict=True)
        for place in _KERNELS.get(name, ())
    }
    large = sum(
        sizes[index] for index in kernels & sizes.keys() if sizes[index] >= SMALLEST_QUANTIZED
    )
    weights = sum(sizes.values())
    with open(path, "rb") as file:
        size = len(file.read())
    return Baseline(len(names), weights, large, size - _FLOAT32_BYTES * weights)


def kernel_weights(path: str) -> Mapping[int, int]:
    """Returns how many weights there are in large kernels, by their `TensorType`.

    Those of depthwise convolutions are left out: `dynamic_range` keeps them in float32.
    """
    model = flatbuffer.read_model(path)
    graph, counted = model.subgraphs[0], {}
    sizes = dict(_constant_sizes(model))
    makers = {int(each.outputs[0]): each for each in graph.operators if len(each.outputs)}
    for operator, name in zip(graph.operators, flatbuffer.operator_names(model), strict=True):
        for place in _KERNELS.get(name, ()) if name != "DEPTHWISE_CONV_2D" else ():
            index = int(operator.inputs[place])
            if index not in sizes and index in makers:  # float16, through a DEQUANTIZE
                index = int(makers[index].inputs[0])
            if sizes.get(index, 0) >= SMALLEST_QUANTIZED:
                kind = graph.tensors[index].type
                counted[kind] = counted.get(kind, 0) + sizes[index]
    return counted


def kept_in_float(path: str, recipe: Recipe) -> Layers:
    """Returns what a quantized model computes in float32: names by operator.

    Of a recipe with integer activations that is all that takes or gives a float; of others with
    8-bit weights, the depthwise convolutions that kept their large kernels.
    """
    model = flatbuffer.read_model(path)
    graph, kept = model.subgraphs[0], {}
    sizes = dict(_constant_sizes(model))
    for operator, name in zip(graph.operators, flatbuffer.operator_names(model), strict=True):
        if recipe.integer_activations:
            indices = [*operator.inputs, *operator.outputs]
            types = {graph.tensors[index].type for index in indices if index >= 0}
            is_kept = name not in _CASTS and not types.isdisjoint(_FLOATS)
        else:
            is_kept = (
                recipe.weight_bytes == 1
                and name == "DEPTHWISE_CONV_2D"
                and sizes.get(int(operator.inputs[1]), 0) >= SMALLEST_QUANTIZED
            )
        if is_kept:
            result = graph.tensors[operator.outputs[0]].name.decode()
            kept[name] = (*kept.get(name, ()), result)
    return kept


def layer_of(name: str, operator: str) -> str:
    """Returns the layer that a tensor is of, "" where it is in none.

    Args:
      name: of the tensor, as `tensor_names` gives it.
      operator: that computes it; its name stands for what is not a layer's last operator.
    """
    *path, last = name.split("/")
    return "/".join(path if last.startswith(operator.lower()) else [*path, last])


def described(layers: Layers) -> str:
    """Returns operators and their layers in words: `RSQRT in LayerNorm_0`, and so on."""
    parts = []
    for operator, names in layers.items():
        places = dict.fromkeys(filter(None, (layer_of(name, operator) for name in names)))
        parts.append(f"{operator} in {', '.join(places)}" if places else operator)
    return "; ".join(parts)


def _constant_sizes(model: schema.ModelT) -> Iterator[tuple[int, int]]:
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        data = model.buffers[tensor.buffer].data
        if tensor.shape is not None and data is not None and len(data):
            yield index, math.prod(int(length) for length in tensor.shape)
