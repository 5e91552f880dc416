"""Reads and edits TFLite files as the flatbuffers that they are.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs
"""

import struct

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import batch, integer_pooling, repetition, tensor_names
from modules.export.forms.dataflow import EXACT_GELU


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


def finish(path: str, other_path: str, sizes: tuple[int, int]) -> None:
    """Names input and output after the features and makes the batch resizable, in place.

    It also names the tensors in between after the layers (`tensor_names`) and replaces 8-bit
    pooling (`integer_pooling`).

    Args:
      path: of a model as TFLite's converter leaves it, for a batch of the first size.
      other_path: of the same for the second size.
      sizes: of the two batches.

    Raises:
      batch.FixedBatchError: the batch cannot be freed; the file is as it was.
    """
    model, other = read_model(path), read_model(other_path)
    for each in (model, other):
        for operator, name in zip(each.subgraphs[0].operators, _operator_names(each), strict=True):
            if name == "BROADCAST_TO":
                repetition.repeat_by_product(each, operator)
    batch.free_batch(model, other, sizes)
    _name_and_pool(model)
    flatbuffer_utils.write_model(model, path)


def finish_fixed(path: str) -> None:
    """Does what `finish` does for a model that keeps its batch of one."""
    model = read_model(path)
    _name_and_pool(model)
    flatbuffer_utils.write_model(model, path)


def _name_and_pool(model: schema.ModelT) -> None:
    graph = model.subgraphs[0]
    computed = set(graph.inputs)  # without what DEQUANTIZE makes of float16 weights
    converted_operators = _operator_names(model)
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
        custom = model.operatorCodes[operator.opcodeIndex].customCode
        builtin = builtin_names[batch.operator_code(model, operator)]
        names.append(f"CUSTOM:{custom.decode()}" if custom else builtin)
    return names
