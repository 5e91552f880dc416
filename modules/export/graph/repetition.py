"""Replaces TFLite's repetition, which XNNPACK does not run, by a product with ones, which it does.

The constant of BROADCAST_TO says how long every axis is, the batch's too; ones say only how often
the others are repeated.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_MAX_RANK = 6  # of TFLite's products
_PRODUCT_VERSION = 2  # of the operator: the first with int8
_LARGEST = 127  # stands for 1 in int8


def repeat_by_product(model: schema.ModelT, operator: schema.OperatorT) -> None:
    """Turns a BROADCAST_TO of floats or of int8 into a MUL, in place; leaves others as they are.

    Args:
      model: is extended by the ones.
      operator: of the model's first graph; is changed.
    """
    tensors = model.subgraphs[0].tensors
    source, result = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    is_integer = source.type == schema.TensorType.INT8
    if not is_integer and source.type != schema.TensorType.FLOAT32:
        return
    target = [int(length) for length in result.shape]
    if len(target) > _MAX_RANK:
        return
    lengths = [1] * (len(target) - len(source.shape)) + [int(length) for length in source.shape]
    shape = [1 if one == length else length for one, length in zip(lengths, target, strict=True)]
    ones = schema.TensorT()
    ones.name, ones.type = (result.name or b"") + b"/ones", source.type
    ones.shape = np.array(shape, np.int32)
    ones.buffer = len(model.buffers)
    if is_integer:
        ones.quantization = schema.QuantizationParametersT()
        ones.quantization.scale = np.array([1 / _LARGEST], np.float32)
        ones.quantization.zeroPoint = np.zeros(1, np.int64)
    values = np.full(shape, _LARGEST, np.int8) if is_integer else np.ones(shape, np.float32)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    operator.inputs = np.array([operator.inputs[0], len(tensors)], np.int32)
    tensors.append(ones)
    operator.builtinOptions = schema.MulOptionsT()
    operator.builtinOptionsType = schema.BuiltinOptions.MulOptions
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.MUL
    code.version = _PRODUCT_VERSION
    operator.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(code)
