"""Reads and edits TFLite files as the flatbuffers that they are.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs
"""

import struct

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import integer_pooling, tensor_names


class ConversionError(RuntimeError):
    """A converted model is not what the pipeline, or a device, can use."""


def read_model(path: str) -> schema.ModelT:
    """Returns the model as Python objects.

    Raises:
      ConversionError: the file is not a whole TFLite file.
    """
    try:
        return flatbuffer_utils.read_model(path)
    except (struct.error, TypeError, ValueError, IndexError) as error:
        raise ConversionError(f"{path}: not a whole TFLite file: {error}") from error


def finish(path: str) -> None:
    """Names input and output after the features and makes the batch resizable, in place.

    It also names the tensors in between after the layers (`tensor_names`) and replaces 8-bit
    pooling (`integer_pooling`).

    Every tensor that depends on the input gets the shape signature [-1, ...], which tells
    interpreters that it can be resized, and every RESHAPE of such a tensor to [1, ...] becomes one
    to [-1, ...].
    """
    model = read_model(path)
    graph = model.subgraphs[0]
    batched = set(graph.inputs)  # without what DEQUANTIZE makes of float16 weights
    converted_operators = _operator_names(model)
    for operator, name in zip(graph.operators, converted_operators, strict=True):
        if batched.isdisjoint(operator.inputs):
            continue
        batched.update(operator.outputs)
        if name == "AVERAGE_POOL_2D":
            integer_pooling.pool_by_convolution(model, operator)
        if name == "RESHAPE":
            target = model.buffers[graph.tensors[operator.inputs[1]].buffer]
            if target.data is None:  # the model itself computes it
                continue
            shape = np.frombuffer(bytes(target.data), np.int32).copy()
            if shape[0] == 1 and -1 not in shape:
                shape[0] = -1
                target.data = np.frombuffer(shape.tobytes(), np.uint8)
    for tensor in (graph.tensors[index] for index in batched):
        shape = [] if tensor.shape is None else list(tensor.shape)
        if shape[:1] == [1]:
            tensor.shapeSignature = np.array([-1, *shape[1:]], np.int32)
    borders = {
        tensor_map.tensorIndex: tensor_map.name.decode()
        for signature in model.signatureDefs
        for tensor_map in (*signature.inputs, *signature.outputs)
    }
    if any(graph.tensors[index].name != name.encode() for index, name in borders.items()):
        tensor_names.name_tensors(graph, converted_operators, batched, borders)
    flatbuffer_utils.write_model(model, path)


def operators(path: str) -> list[str]:
    """Returns the names of the operators of a TFLite file, in the order of execution.

    Custom operators (Flex ones included) appear as "CUSTOM:<name>".
    """
    return _operator_names(read_model(path))


def _operator_names(model: schema.ModelT) -> list[str]:
    builtin_names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()
    }
    names = []
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        # Codes below 127 may be stored in the older, one-byte field alone.
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        custom = code.customCode
        names.append(f"CUSTOM:{custom.decode()}" if custom else builtin_names[builtin])
    return names
