"""Frees the batch of a TFLite model that was converted for a fixed one.

TFLite's converter fuses far more operators when it knows the size of the batch, but then the size
is in the shapes of tensors and in constants. Which of the many ones is the batch shows when the
same network is converted for another size, too: all that differs is the batch, and nothing else is.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from modules.export.graph import editing

_OTHER_GRAPH = "for another number of images TFLite's converter makes another graph"
# Operators that repeat an operand of length 1 along an axis where another one is longer.
_REPEATING = frozenset(
    getattr(schema.BuiltinOperator, name)
    for name in (
        "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "SQUARED_DIFFERENCE", "SELECT_V2",
        "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL", "LOGICAL_AND",
        "LOGICAL_OR", "FLOOR_DIV", "FLOOR_MOD", "BATCH_MATMUL",
    )
)  # fmt: skip


class FixedBatchError(ValueError):
    """The batch cannot be freed."""


def free_batch(model: schema.ModelT, other: schema.ModelT, sizes: tuple[int, int]) -> None:
    """Makes a model take any number of images, in place; until it is told, it takes one.

    Every tensor that holds the batch gets a shape signature with -1 in its place, which tells
    interpreters that it can be resized, and every constant that says how long the batch is says
    "as long as it is".

    Args:
      model: converted for a batch of the first size.
      other: the same network, converted for the second.
      sizes: of the two batches.

    Raises:
      FixedBatchError: the two are not the same but for the batch, or a constant depends on it that
        has no way to say so.
    """
    if [len(graph.operators) for graph in model.subgraphs] != [
        len(graph.operators) for graph in other.subgraphs
    ]:
        raise FixedBatchError(_OTHER_GRAPH)
    for graph, its_other in zip(model.subgraphs, other.subgraphs, strict=True):
        _Graph(model, graph, other, its_other, sizes).free()


class _Graph:
    """One graph in two sizes."""

    def __init__(
        self,
        model: schema.ModelT,
        graph: schema.SubGraphT,
        other_model: schema.ModelT,
        other: schema.SubGraphT,
        sizes: tuple[int, int],
    ):
        self._model, self._graph = model, graph
        self._other_model, self._other = other_model, other
        self._sizes = sizes
        self._constants: dict[int, np.ndarray] = {}  # new ones, by tensor
        self._axes: list[int | None] = []  # that hold the batch, by tensor
        self._computed = set(graph.inputs)  # tensors that depend on the images

    def free(self) -> None:
        pairs = list(zip(self._graph.operators, self._other.operators, strict=True))
        if len(self._graph.tensors) != len(self._other.tensors) or any(
            self._code(one) != operator_code(self._other_model, two)
            or list(one.inputs) != list(two.inputs)
            or list(one.outputs) != list(two.outputs)
            for one, two in pairs
        ):
            raise FixedBatchError(_OTHER_GRAPH)
        self._axes = [self._batch_axis(index) for index in range(len(self._graph.tensors))]
        for operator, _ in pairs:
            if not self._computed.isdisjoint(operator.inputs):
                self._computed.update(operator.outputs)
            for place, index in enumerate(operator.inputs):
                if index >= 0 and self._is_constant_of_batch(index):
                    self._constants[index] = self._freed(operator, place, index)
        for tensor, axis in zip(self._graph.tensors, self._axes, strict=True):
            if axis is not None:
                shape = [int(length) for length in tensor.shape]
                shape[axis] //= self._sizes[0]
                tensor.shape = np.array(shape, np.int32)
        for index, axis in enumerate(self._axes):
            if axis is not None and index in self._computed:
                tensor = self._graph.tensors[index]
                signature = [int(length) for length in tensor.shape]
                signature[axis] = -1
                tensor.shapeSignature = np.array(signature, np.int32)
        self._write_constants()

    def _code(self, operator: schema.OperatorT) -> int:
        return operator_code(self._model, operator)

    def _batch_axis(self, index: int) -> int | None:
        """Returns where a tensor holds the batch, times a constant if it is merged with others."""
        one, two = _shape(self._graph.tensors[index]), _shape(self._other.tensors[index])
        if one == two:
            return None
        axes = [axis for axis, pair in enumerate(zip(one, two, strict=False)) if len(set(pair)) > 1]
        if len(one) != len(two) or len(axes) > 1 or not self._is_batch(one[axes[0]], two[axes[0]]):
            raise FixedBatchError(_OTHER_GRAPH)
        return axes[0]

    def _is_batch(self, one: int, two: int) -> bool:
        return one % self._sizes[0] == 0 and one // self._sizes[0] * self._sizes[1] == two

    def _is_constant_of_batch(self, index: int) -> bool:
        one = _data(self._model, self._graph.tensors[index])
        two = _data(self._other_model, self._other.tensors[index])
        if one is None or two is None:
            return False
        if self._axes[index] is not None:
            return True
        # Quantized ones differ by what the ranges were taken from.
        quantization = self._graph.tensors[index].quantization
        is_quantized = quantization is not None and quantization.scale is not None
        return not is_quantized and one.tobytes() != two.tobytes()

    def _freed(self, operator: schema.OperatorT, place: int, index: int) -> np.ndarray:
        """Returns what a constant is to be, when an operator does not ask for a size."""
        if self._axes[index] is not None:
            return self._for_one(operator, index)
        code, names = self._code(operator), schema.BuiltinOperator
        one = _data(self._model, self._graph.tensors[index]).view(np.int32)
        two = _data(self._other_model, self._other.tensors[index]).view(np.int32)
        places = np.flatnonzero(one != two).tolist()
        is_size = self._graph.tensors[index].type == schema.TensorType.INT32 and all(
            self._is_batch(int(one[place]), int(two[place])) for place in places
        )
        freed = one.copy()
        is_reshape = (code, place) == (names.RESHAPE, 1) and len(places) == 1
        if is_size and (is_reshape or (code, place) == (names.SLICE, 2)):
            freed[places] = -1
            return freed
        if is_size and (code, place) == (names.STRIDED_SLICE, 2):
            operator.builtinOptions.endMask |= sum(1 << place for place in places)
            return freed
        raise FixedBatchError(f"{_name(self._graph, operator)} has the number of images in it")

    def _for_one(self, operator: schema.OperatorT, index: int) -> np.ndarray:
        """Returns of a constant that is the same for every image what there is for one."""
        tensor, axis = self._graph.tensors[index], self._axes[index]
        shape = _shape(tensor)
        values = _data(self._model, tensor).reshape(*shape[: axis + 1], -1)
        first = values.take([0], axis=axis)
        repeats = shape[axis] == self._sizes[0] and (values == first).all()
        # What is computed of constants alone has a batch of one, too.
        takes_one = self._computed.isdisjoint(operator.inputs) or (
            self._code(operator) in _REPEATING
        )
        if not takes_one or not repeats:
            raise FixedBatchError(
                f"{_name(self._graph, operator)} takes a constant for every image"
            )
        return first

    def _write_constants(self) -> None:
        users: dict[int, list[int]] = {}
        for graph in self._model.subgraphs:
            for tensor in graph.tensors:
                users[tensor.buffer] = [*users.get(tensor.buffer, []), id(tensor)]
        for index, values in self._constants.items():
            tensor = self._graph.tensors[index]
            data = np.frombuffer(values.tobytes(), np.uint8)
            alike = {
                id(self._graph.tensors[other])
                for other, its_values in self._constants.items()
                if its_values.tobytes() == values.tobytes()
            }
            if set(users[tensor.buffer]) <= alike:
                self._model.buffers[tensor.buffer].data = data
            else:  # another tensor needs what is in it
                tensor.buffer = editing.add_buffer(self._model, data)


def operator_code(model: schema.ModelT, operator: schema.OperatorT) -> int:
    """Returns an operator's `BuiltinOperator`."""
    code = model.operatorCodes[operator.opcodeIndex]
    # Codes below 127 may be stored in the older, one-byte field alone.
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _shape(tensor: schema.TensorT) -> list[int]:
    return [] if tensor.shape is None else [int(length) for length in tensor.shape]


def _data(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray | None:
    data = model.buffers[tensor.buffer].data
    return None if data is None or not len(data) else np.asarray(data, np.uint8)


def _name(graph: schema.SubGraphT, operator: schema.OperatorT) -> str:
    return (graph.tensors[operator.outputs[0]].name or b"a tensor").decode()
