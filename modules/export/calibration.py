"""Has TFLite's converter see the range of each activation, and not of what overwrites it.

While it calibrates, an operator may write its result over its input, whose range is taken after
that: so `images - mean` gets the range of `(images - mean) / deviation`, and 80 of 256 steps. What
is an output of the whole model is never written over. The fault:
https://github.com/tensorflow/tensorflow/issues/127842.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import convert
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils


def keep_ranges_apart(converter: tf.lite.TFLiteConverter) -> None:
    """Changes a converter that takes ranges from representative data, before it converts.

    It takes the two steps of TFLite's own QuantizationDebugger, calibration and quantization, with
    every activation being an output in the first.

    Args:
      converter: is changed.
    """
    calibrate = converter._quantize

    def quantize(model: bytes, input_type: tf.DType, output_type: tf.DType, *others: Any) -> bytes:
        *_, quantizes_variables, debug_options = others
        whole = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
        outputs = [graph.outputs for graph in whole.subgraphs]
        for graph in whole.subgraphs:
            graph.outputs = np.concatenate([graph.outputs, _between(graph)]).astype(np.int32)
        converter._experimental_calibrate_only = True
        watched = calibrate(_written(whole), input_type, output_type, *others)
        calibrated = flatbuffer_utils.convert_bytearray_to_object(bytearray(watched))
        for graph, its_outputs in zip(calibrated.subgraphs, outputs, strict=True):
            graph.outputs = its_outputs
        return convert.mlir_quantize(
            _written(calibrated),
            input_data_type=input_type,
            output_data_type=output_type,
            enable_variable_quantization=quantizes_variables,
            debug_options_str=debug_options.SerializeToString(),
        )

    converter._quantize = quantize


def _between(graph: schema.SubGraphT) -> list[int]:
    """Returns the tensors of floats that operators compute and that are no outputs."""
    computed = {int(index) for operator in graph.operators for index in operator.outputs}
    return [
        index
        for index in sorted(computed - {int(index) for index in graph.outputs})
        if graph.tensors[index].type == schema.TensorType.FLOAT32
    ]


def _written(model: schema.ModelT) -> bytes:
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
