"""Reads and edits TFLite files as the flatbuffers that they are.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs
"""

import struct

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from modules.export.forms.dataflow import EXACT_GELU
from modules.export.graph import batch, hybrids, integer_pooling, repetition, tensor_names


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


def finish(
    path: str, float32: str | None = None, other: tuple[str, tuple[int, int]] | None = None
) -> None:
    """Names tensors and frees the batch of a model as TFLite's converter leaves it, in place.

    Input and output are named after the features and what is in between after the layers
    (`tensor_names`). Operators that XNNPACK does not run are replaced where another one gives the
    same numbers (`repetition`, `integer_pooling`, `hybrids`).

    Args:
      path: of the model.
      float32: path of the network's finished float32 model, unless this is it.
      other: path of the same model converted for another size of the batch, and the two sizes;
        None for a model that keeps its batch.

    Raises:
      batch.FixedBatchError: the batch cannot be freed; the file is as it was.
    """
    model = read_model(path)
    _replace_repetitions(model)
    if other:
        other_path, sizes = other
        other_model = read_model(other_path)
        _replace_repetitions(other_model)
        batch.free_batch(model, other_model, sizes)
    graph = model.subgraphs[0]
    computed = set(graph.inputs)  # without what DEQUANTIZE makes of float16 weights
    converted_operators = operator_names(model)
    for operator, name in zip(graph.operators, converted_operators, strict=True):
        if computed.isdisjoint(operator.inputs):
            continue
        computed.update(operator.outputs)
        if name == "AVERAGE_POOL_2D":
            integer_pooling.pool_by_convolution(model, operator)
        if name == "GELU":
            converted_name = graph.tensors[operator.outputs[0]].name.decode()
            operator.builtinOptions.approximate = EXACT_GELU not in converted_name
    borders = {
        tensor_map.tensorIndex: tensor_map.name.decode()
        for signature in model.signatureDefs
        for tensor_map in (*signature.inputs, *signature.outputs)
    }
    tensor_names.name_tensors(graph, converted_operators, computed, borders)
    if float32:
        hybrids.keep_depthwise_in_float(model, operator_names(model), read_model(float32))
    flatbuffer_utils.write_model(model, path)


def _replace_repetitions(model: schema.ModelT) -> None:
    operators = model.subgraphs[0].operators
    for operator, name in zip(operators, operator_names(model), strict=True):
        if name == "BROADCAST_TO":
            repetition.repeat_by_product(model, operator)


def operators(path: str) -> list[str]:
    """Returns the names of the operators of a TFLite file, in the order of execution.

    Custom operators (Flex ones included) appear as "CUSTOM:<name>".
    """
    return operator_names(read_model(path))


def operator_names(model: schema.ModelT, graph: schema.SubGraphT | None = None) -> list[str]:
    """Returns the same of a model that was read, or of another graph of it than the first.

    An operator that this TensorFlow does not know appears as "BUILTIN:<code>".
    """
    builtin_names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()
    }
    names = []
    for operator in (graph or model.subgraphs[0]).operators or ():
        custom = model.operatorCodes[operator.opcodeIndex].customCode
        code = batch.operator_code(model, operator)
        builtin = builtin_names.get(code, f"BUILTIN:{code}")
        names.append(f"CUSTOM:{custom.decode()}" if custom else builtin)
    return names
