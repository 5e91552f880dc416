"""Keeps depthwise convolutions of dynamic range models in float32.

With 8-bit weights and float activations XNNPACK does not run them, and TFLite's own kernel takes
longer than the float32 one of XNNPACK.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from modules.export.graph import editing


def keep_depthwise_in_float(
    model: schema.ModelT, names: list[str], original: schema.ModelT
) -> None:
    """Gives DEPTHWISE_CONV_2D of float activations float32 weights, in place.

    Args:
      model: of 8-bit weights.
      names: of its operators.
      original: the float32 model of the same network, whose tensors have the same names.
    """
    graph = model.subgraphs[0]
    floats = {tensor.name: tensor for tensor in original.subgraphs[0].tensors}
    for operator, name in zip(graph.operators, names, strict=True):
        if name != "DEPTHWISE_CONV_2D":
            continue
        source, kernel = (graph.tensors[index] for index in operator.inputs[:2])
        its_float = floats.get(kernel.name)
        is_hybrid = (
            source.type == schema.TensorType.FLOAT32 and kernel.type == schema.TensorType.INT8
        )
        if is_hybrid and its_float is not None and list(its_float.shape) == list(kernel.shape):
            kernel.type, kernel.quantization = its_float.type, its_float.quantization
            model.buffers[kernel.buffer].data = None
            data = np.asarray(original.buffers[its_float.buffer].data, np.uint8)
            kernel.buffer = editing.add_buffer(model, data)
