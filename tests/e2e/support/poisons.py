"""Ways to make a wrong device model of a sound one, of the same form and size."""

import copy

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT8: np.int8,
}


def constants(model: schema.ModelT) -> list[tuple[schema.TensorT, np.ndarray]]:
    """Returns the constant tensors, with writable arrays of what they hold."""
    found = []
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None and tensor.shape is not None:
            values = np.frombuffer(bytes(data), _DTYPES[tensor.type]).copy()
            found.append((tensor, values.reshape(tensor.shape)))
    return found


def _store(model: schema.ModelT, tensor: schema.TensorT, values: np.ndarray) -> None:
    data = np.ascontiguousarray(values, _DTYPES[tensor.type])
    model.buffers[tensor.buffer].data = np.frombuffer(data.tobytes(), np.uint8)


def _last_layer(model: schema.ModelT) -> list[tuple[schema.TensorT, np.ndarray]]:
    """Returns weights and bias of the last layer, the only constants with a row for each class."""
    found = [(tensor, values) for tensor, values in constants(model) if values.shape[:1] == (10,)]
    assert len(found) == 2
    return found


def sound(model: schema.ModelT) -> None:
    """Nothing is wrong."""


def permuted_labels(model: schema.ModelT) -> None:
    """Each class answers to the name of its neighbour."""
    for tensor, values in _last_layer(model):
        _store(model, tensor, np.roll(values, 1, axis=0))


def biased_class(model: schema.ModelT) -> None:
    """One class is preferred a little, which changes hardly an answer; for biases in floats."""
    [(tensor, values)] = [each for each in _last_layer(model) if each[1].ndim == 1]
    values[3] += 1.0
    _store(model, tensor, values)


def too_sure(model: schema.ModelT) -> None:
    """All logits are larger by a fifth, which changes no answer; for weights in integers."""
    for tensor, _ in _last_layer(model):
        tensor.quantization.scale = np.asarray(tensor.quantization.scale, np.float32) * 1.2


def dark_input(model: schema.ModelT) -> None:
    """Pixels above a half are cut off by the scale of the input, which is of int8."""
    graph = model.subgraphs[0]
    quantization = graph.tensors[graph.inputs[0]].quantization
    quantization.scale = np.asarray(quantization.scale, np.float32) / 2


def one_more_operator(model: schema.ModelT) -> None:
    """The images are multiplied once more, by 1: right, and slower than it was made."""
    graph = model.subgraphs[0]
    place, operator = next(
        (place, each)
        for place, each in enumerate(graph.operators)
        if len(each.inputs) == 2 and each.builtinOptionsType == schema.BuiltinOptions.MulOptions
    )
    values, factor = (graph.tensors[index] for index in (operator.outputs[0], operator.inputs[1]))
    assert model.buffers[factor.buffer].data is not None
    again, one, buffer = copy.deepcopy(values), copy.deepcopy(factor), schema.BufferT()
    buffer.data = np.frombuffer(np.float32(1).tobytes(), np.uint8)
    one.buffer = len(model.buffers)
    model.buffers.append(buffer)
    first = len(graph.tensors)
    graph.tensors += [again, one]
    more = copy.deepcopy(operator)
    more.inputs = np.array([operator.outputs[0], first + 1], np.int32)
    more.outputs = np.array([first], np.int32)
    for later in graph.operators[place + 1 :]:
        later.inputs = np.where(later.inputs == operator.outputs[0], first, later.inputs)
    graph.operators.insert(place + 1, more)
