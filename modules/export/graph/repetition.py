"""Replaces TFLite's repetition, which XNNPACK does not run, by a product with ones, which it does.

The constant of BROADCAST_TO says how long every axis is, the batch's too; ones say only how often
the others are repeated.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from modules.export.graph import editing

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
    values = np.full(shape, _LARGEST, np.int8) if is_integer else np.ones(shape, np.float32)
    scale = 1 / _LARGEST if is_integer else None
    ones = editing.add_constant(model, values, scale, (result.name or b"") + b"/ones")
    operator.inputs = np.array([operator.inputs[0], ones], np.int32)
    operator.builtinOptions = schema.MulOptionsT()
    operator.builtinOptionsType = schema.BuiltinOptions.MulOptions
    editing.set_operator(model, operator, schema.BuiltinOperator.MUL, _PRODUCT_VERSION)
