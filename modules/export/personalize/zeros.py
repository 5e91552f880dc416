"""Optimizers start with zeros, as many as there are parameters: a file need not hold them."""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from modules.export.graph import editing

_LEAST_BYTES = 256  # what an operator and its two constants take, about


def fill(model: schema.ModelT, signature: str) -> None:
    """Has the outputs of a signature that are nothing but zeros made by operators FILL."""
    [index] = [
        found.subgraphIndex
        for found in model.signatureDefs
        if found.signatureKey.decode() == signature
    ]
    graph = model.subgraphs[index]
    for place in graph.outputs:
        tensor = graph.tensors[place]
        data = model.buffers[tensor.buffer].data
        if data is None or len(data) < _LEAST_BYTES or np.any(np.asarray(data)):
            continue
        operator = schema.OperatorT()
        value = np.zeros((), np.int32 if tensor.type == schema.TensorType.INT32 else np.float32)
        operator.inputs = [
            editing.add_constant(model, array, graph=graph)
            for array in (np.array(tensor.shape, np.int32), value)
        ]
        operator.outputs = [int(place)]
        operator.builtinOptionsType = schema.BuiltinOptions.FillOptions
        operator.builtinOptions = schema.FillOptionsT()
        editing.set_operator(model, operator, schema.BuiltinOperator.FILL, version=1)
        graph.operators = [*(graph.operators or []), operator]
        tensor.buffer = 0
