"""What a `.tflite` offers, read from the file itself; LiteRT only says what XNNPACK takes."""

import math
import os
from collections import Counter

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from data.errors import DataError
from modules.export.graph import flatbuffer
from modules.inference import delegation
from modules.inspection.report import (
    DeviceModel,
    Operator,
    Parameters,
    Quantization,
    Signature,
    Tensor,
)

_TYPE_NAMES = {
    code: name.lower() for name, code in vars(schema.TensorType).items() if name.isupper()
}
# Flatbuffers are read in place, so damage that LiteRT does not see shows as nearly anything.
_DAMAGE = (flatbuffer.ConversionError, AttributeError, LookupError, TypeError, ValueError)
_FLOATS = ("float16", "float32", "float64", "bfloat16")


def inspect(path: str) -> DeviceModel:
    """Returns what a `.tflite` offers.

    Args:
      path: of a file that begins as one.

    Raises:
      DataError: the file is damaged.
    """
    trial = delegation.try_out(os.path.abspath(path))
    if not trial.is_read:
        raise _damaged(path, trial.problem)
    try:
        model = flatbuffer.read_model(path)
        return DeviceModel(
            path=path,
            bytes=os.path.getsize(path),
            description=_text(model.description),
            signatures=_signatures(model),
            operators=_operators(model, trial.undelegated),
            parameters=_parameters(model),
            problem=trial.problem,
        )
    # Flatbuffers are read in place, so damage shows as nearly anything.
    except (
        flatbuffer.ConversionError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: str, reason: str) -> DataError:
    return DataError(
        f"{path}: expected a whole .tflite file, and this one is cut or damaged "
        f"({reason.rstrip('.')}); make or fetch it again"
    )


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="replace")


def _signatures(model: schema.ModelT) -> tuple[Signature, ...]:
    """Returns the named signatures; without any, the first graph as it is."""
    found = []
    for signature in model.signatureDefs or ():
        tensors = model.subgraphs[signature.subgraphIndex].tensors
        inputs, outputs = (
            tuple(_tensor(tensors[each.tensorIndex], _text(each.name)) for each in maps or ())
            for maps in (signature.inputs, signature.outputs)
        )
        found.append(Signature(_text(signature.signatureKey), inputs, outputs))
    if found:
        return tuple(found)
    graph = model.subgraphs[0]
    inputs, outputs = (
        tuple(_tensor(graph.tensors[index], _text(graph.tensors[index].name)) for index in indices)
        for indices in (graph.inputs, graph.outputs)
    )
    return (Signature("", inputs, outputs),)


def _tensor(tensor: schema.TensorT, name: str) -> Tensor:
    """Returns an input or output; where the file has a signature of its shape, that counts."""
    lengths = _lengths(tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature)
    shape = tuple(None if length < 0 else length for length in lengths)
    return Tensor(name, _type_name(tensor), shape, _quantization(tensor))


def _lengths(shape: np.ndarray | None) -> list[int]:
    return [] if shape is None else [int(length) for length in shape]


def _type_name(tensor: schema.TensorT) -> str:
    return _TYPE_NAMES.get(tensor.type, f"type {tensor.type}")


def _quantization(tensor: schema.TensorT) -> Quantization | None:
    """Returns scales and zero points; None also where weights have scales for their blocks."""
    found = tensor.quantization
    if found is None or found.scale is None or not len(found.scale):
        return None
    points = np.zeros(len(found.scale), int) if found.zeroPoint is None else found.zeroPoint
    return Quantization(
        tuple(float(scale) for scale in found.scale),
        tuple(int(point) for point in points),
        int(found.quantizedDimension),
    )


def _operators(model: schema.ModelT, undelegated: delegation.Layers | None) -> tuple[Operator, ...]:
    """Counts the operators of every graph.

    XNNPACK is asked about the first graph only, and not about what gives no result, such as
    ASSIGN_VARIABLE.
    """
    counts: Counter[str] = Counter()
    not_asked: set[str] = set()
    for number, graph in enumerate(model.subgraphs):
        names = flatbuffer.operator_names(model, graph)
        counts.update(names)
        for operator, name in zip(graph.operators or (), names, strict=True):
            if undelegated is None or number or operator.outputs is None:
                not_asked.add(name)
    return tuple(
        Operator(
            name,
            count,
            None if name in not_asked else count - len((undelegated or {}).get(name, ())),
        )
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _parameters(model: schema.ModelT) -> tuple[Parameters, ...]:
    """Counts weights by dtype: constants in floats, and integers that stand for real numbers.

    Other constants say how an operator works, such as the shape that it makes. What several
    tensors share counts once.
    """
    found: dict[int, tuple[str, int, int]] = {}  # by the buffer that holds it
    for graph in model.subgraphs:
        for tensor in graph.tensors or ():
            data, dtype = model.buffers[tensor.buffer].data, _type_name(tensor)
            if data is None or not len(data):
                continue
            quantized = tensor.quantization is not None and (
                _quantization(tensor) is not None or tensor.quantization.details is not None
            )
            if dtype in _FLOATS or quantized:
                found[tensor.buffer] = (dtype, math.prod(_lengths(tensor.shape)), len(data))
    totals: dict[str, Parameters] = {}
    for dtype, numbers, size in found.values():
        before = totals.get(dtype, Parameters(dtype, 0, 0))
        totals[dtype] = Parameters(dtype, before.numbers + numbers, before.bytes + size)
    return tuple(sorted(totals.values(), key=lambda each: (-each.bytes, each.dtype)))
