"""Checks the types that a TFLite file computes in, which tell the recipes apart."""

import math
from collections import Counter

from tensorflow.lite.python import schema_py_generated as schema

from modules.export import flatbuffer
from modules.export.flatbuffer import ConversionError
from modules.export.recipes import SMALLEST_QUANTIZED, Recipe

_Types = schema.TensorType
_TYPE_NAMES = {code: name for name, code in vars(_Types).items() if name.isupper()}
_WEIGHTS = {4: _Types.FLOAT32, 2: _Types.FLOAT16, 1: _Types.INT8}  # by Recipe.weight_bytes
_INTEGERS = {_Types.INT8, _Types.UINT8, _Types.INT16}


def computing_operators(path: str, recipe: Recipe) -> list[str]:
    """Returns the names of a file's operators, less those that the recipe brings along.

    These are a DEQUANTIZE for each float16 array and, where integers are computed between floats, a
    QUANTIZE at the beginning and a DEQUANTIZE at the end.
    """
    model = flatbuffer.read_model(path)
    arrays = Counter(tensor.type for tensor in _constants(model))[_Types.FLOAT16]
    ends = int(recipe.integer_activations and not recipe.integer_io)
    free = Counter({"QUANTIZE": ends, "DEQUANTIZE": ends if recipe.integer_activations else arrays})
    computing = []
    for name in flatbuffer.operators(path):
        if free[name]:
            free[name] -= 1
        else:
            computing.append(name)
    return computing


def check_types(path: str, recipe: Recipe) -> None:
    """Raises ConversionError unless weights and activations are in the types of the recipe.

    Most weights must be, counted in the arrays that are large enough to be quantized. Activations
    must not be integers where the recipe does not say so; `tflite_checks` sees to the reverse.
    """
    model = flatbuffer.read_model(path)
    weights: Counter[int] = Counter()
    for tensor in _constants(model):
        size = math.prod(int(length) for length in tensor.shape)
        if size >= SMALLEST_QUANTIZED:
            weights[tensor.type] += size
    expected = _WEIGHTS[recipe.weight_bytes]
    if weights and 2 * weights[expected] <= weights.total():
        found = _TYPE_NAMES[weights.most_common(1)[0][0]]
        raise ConversionError(
            f"{path}: most weights are {found}, expected {_TYPE_NAMES[expected]}, as the recipe "
            f"{recipe.name} makes them; the file may be that of another recipe"
        )
    graph = model.subgraphs[0]
    computed = {graph.tensors[index].type for each in graph.operators for index in each.outputs}
    if not recipe.integer_activations and computed & _INTEGERS:
        raise ConversionError(
            f"{path}: activations are {_TYPE_NAMES[min(computed & _INTEGERS)]}, expected floats, "
            f"as the recipe {recipe.name} makes them; the file may be that of another recipe"
        )


def _constants(model: schema.ModelT) -> list[schema.TensorT]:
    return [
        tensor
        for tensor in model.subgraphs[0].tensors
        if tensor.shape is not None and model.buffers[tensor.buffer].data is not None
    ]
