"""The objects that a SavedModel keeps: its variables, and what can be called.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saved_object_graph.proto
"""

import math
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_object_graph_pb2, struct_pb2

from modules.inspection.report import Shape, Variable

_CALLABLE = ("function", "bare_concrete_function")


class Objects:
    """The object graph; one without nodes where the SavedModel is of TensorFlow 1.

    Raises:
      LookupError: the graph refers to what is not in it.
    """

    def __init__(self, meta_graph: meta_graph_pb2.MetaGraphDef):
        self._saved: saved_object_graph_pb2.SavedObjectGraph = meta_graph.object_graph_def
        self._reached = list(self._walk())

    def __bool__(self) -> bool:
        return bool(self._reached)

    def child(self, name: str, parent: int = 0) -> int | None:
        """Returns the node that an object has under a name; the root's unless another is given."""
        found = self._saved.nodes[parent].children if self else ()
        return next((each.node_id for each in found if each.local_name == name), None)

    def functions(self, node: int | None = None) -> list[str]:
        """Returns the names of the concrete functions of a node, or of all that there are."""
        nodes = self._reached if node is None else [node]
        return [name for each in nodes for name in self._concrete(self._saved.nodes[each])]

    def batch_sizes(self, node: int) -> list[int | None]:
        """Returns, of each concrete function of a node, how long its first argument is.

        What has no axes, such as a switch for training, is no such argument.
        """
        sizes = []
        for name in self.functions(node):
            signature = self._saved.concrete_functions[name].canonicalized_input_signature
            shapes = (shape_of(spec) for spec in _specs(signature))
            first = next((shape for shape in shapes if shape != ()), ())
            if first != ():
                sizes.append(first[0] if first else None)
        return sizes

    def variables(self) -> list[Variable]:
        """Returns all variables, each once."""
        return [
            self._variable(node, "")
            for node in self._reached
            if self._saved.nodes[node].WhichOneof("kind") == "variable"
        ]

    def listed(self, name: str) -> list[Variable] | None:
        """Returns the variables in a list that the root has under a name; None without the list."""
        node = self.child(name)
        if node is None:
            return None
        found = {}
        for child, path in self._below(node, name):
            if self._saved.nodes[child].WhichOneof("kind") == "variable":
                found.setdefault(child, path)
        names = [self._saved.nodes[child].variable.name for child in found]
        return [
            self._variable(child, path if names.count(own) > 1 else "")
            for (child, path), own in zip(found.items(), names, strict=True)
        ]

    def _walk(self) -> Iterator[int]:
        if self._saved.nodes:
            yield from (node for node, _ in self._below(0, ""))

    def _below(self, start: int, name: str) -> Iterator[tuple[int, str]]:
        """Yields a node and all that it has, each once, with a path to it."""
        seen, waiting = {start}, [(start, name)]
        while waiting:
            node, path = waiting.pop(0)
            yield node, path
            for child in self._saved.nodes[node].children:
                if child.node_id not in seen:
                    seen.add(child.node_id)
                    waiting.append((child.node_id, f"{path}/{child.local_name}"))

    def _concrete(self, node: saved_object_graph_pb2.SavedObject) -> list[str]:
        kind = node.WhichOneof("kind")
        if kind == "function":
            return list(node.function.concrete_functions)
        return [node.bare_concrete_function.concrete_function_name] if kind in _CALLABLE else []

    def _variable(self, node: int, path: str) -> Variable:
        variable = self._saved.nodes[node].variable
        return variable_of(path or variable.name, variable.dtype, variable.shape)


def variable_of(name: str, dtype: int, shape: tensor_shape_pb2.TensorShapeProto) -> Variable:
    """Returns a variable; its numbers are 0 where its shape is not known."""
    lengths = shape_of(shape)
    known = lengths is not None and None not in lengths
    return Variable(name, dtype_name(dtype), lengths, math.prod(lengths) if known else 0)


def dtype_name(dtype: int) -> str:
    """Returns the name of a DataType."""
    try:
        return tf.dtypes.as_dtype(dtype).name
    except TypeError:
        return f"type {dtype}"


def shape_of(shape: tensor_shape_pb2.TensorShapeProto) -> Shape:
    """Returns the lengths of the axes."""
    if shape.unknown_rank:
        return None
    return tuple(None if axis.size < 0 else axis.size for axis in shape.dim)


def _specs(value: struct_pb2.StructuredValue) -> Iterator[tensor_shape_pb2.TensorShapeProto]:
    """Yields the shapes of all tensors in the arguments of a function, in their order."""
    kind = value.WhichOneof("kind")
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        yield getattr(value, kind).shape
    elif kind in ("tuple_value", "list_value"):
        for each in getattr(value, kind).values:
            yield from _specs(each)
    elif kind == "dict_value":
        for _, each in sorted(value.dict_value.fields.items()):
            yield from _specs(each)
    elif kind == "named_tuple_value":
        for pair in value.named_tuple_value.values:
            yield from _specs(pair.value)
