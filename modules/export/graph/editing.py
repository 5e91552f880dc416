"""Edits of a TFLite graph that others are made of: a new constant, another operator."""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
}


def add_buffer(model: schema.ModelT, values: np.ndarray) -> int:
    """Adds what a constant holds; returns its index."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def add_constant(
    model: schema.ModelT,
    values: np.ndarray,
    scale: float | None = None,
    name: bytes | None = None,
    graph: schema.SubGraphT | None = None,
) -> int:
    """Adds a tensor to a graph of the model; returns its index there.

    Args:
      model: is extended.
      values: int8, int32 or float32.
      scale: what an integer 1 stands for, with the zero point 0; None for what is not quantized.
      name: of the tensor.
      graph: of the model; None for its first.
    """
    tensor = schema.TensorT()
    tensor.name, tensor.type = name, _TYPES[values.dtype]
    tensor.shape = np.array(values.shape, np.int32)
    tensor.buffer = add_buffer(model, values)
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.array([scale], np.float32)
        tensor.quantization.zeroPoint = np.zeros(1, np.int64)
    graph = graph or model.subgraphs[0]
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def set_operator(model: schema.ModelT, operator: schema.OperatorT, code: int, version: int) -> None:
    """Makes an operator another `BuiltinOperator`, of a version; its options are not touched."""
    operator_code = schema.OperatorCodeT()
    operator_code.builtinCode = operator_code.deprecatedBuiltinCode = code
    operator_code.version = version
    operator.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(operator_code)
