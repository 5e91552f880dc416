"""The functions of a SavedModel: what they compute by, and whether they have gradients."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.framework import op_def_registry

from modules.inspection.report import Operator

_JAX = "XlaCallModule"  # holds a function of JAX's
_CUSTOM_GRADIENT = "_gradient_op_type"
# What a call would do beyond computing.
_REACHING = frozenset(
    (
        *("ReadFile", "WriteFile", "Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints"),
        *("Restore", "RestoreSlice", "RestoreV2", "MatchingFiles", "PrintV2", "Print"),
        *("PyFunc", "PyFuncStateless", "EagerPyFunc", "LoadLibrary", "ImmutableConst"),
    )
)

Nodes = list[node_def_pb2.NodeDef]


class Library:
    """The functions of a graph by their names."""

    def __init__(self, meta_graph: meta_graph_pb2.MetaGraphDef):
        library = meta_graph.graph_def.library
        self._functions = {each.signature.name: each for each in library.function}
        self._gradients = {each.registered_op_type for each in library.registered_gradients}

    def reached(self, names: Iterable[str]) -> Mapping[str, Nodes]:
        """Returns the nodes of functions and of all that these call, by the function's name."""
        found: dict[str, Nodes] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self._functions and name not in found:
                found[name] = list(self._functions[name].node_def)
                waiting += self.called(found[name])
        return found

    def called(self, nodes: Iterable[node_def_pb2.NodeDef]) -> Iterator[str]:
        """Yields the names of functions that nodes call."""
        for node in nodes:
            yield node.op
            for attribute in node.attr.values():
                yield attribute.func.name
                yield from (each.name for each in attribute.list.func)

    def counted(self, nodes: Nodes) -> tuple[Operator, ...]:
        """Returns the operators of nodes; a plain call of a function is none."""
        return operators(node.op for node in nodes if node.op not in self._functions)

    def unknown(self, nodes: Nodes) -> tuple[str, ...]:
        """Returns the operators that this TensorFlow does not know."""
        names = {node.op for node in nodes} - self._functions.keys()
        return tuple(sorted(name for name in names if op_def_registry.get(name) is None))

    def without_gradient(self, names: Iterable[str]) -> str:
        """Returns why a function, or one that it calls, has no gradient; "" where all have one.

        An operator without a gradient is one of a function that has its own, which stands in an
        attribute of a node and is saved with the functions.
        """
        for nodes in self.reached(names).values():
            needed = {node.attr[_CUSTOM_GRADIENT].s.decode(errors="replace") for node in nodes}
            needed -= {""}
            operators_here = {node.op for node in nodes}
            if "PreventGradient" in operators_here:
                return "it was exported without gradients (PreventGradient)"
            if needed - self._gradients:
                return "the gradients of its own that it has were not saved with it"
            if _JAX in operators_here and not needed:
                return f"{_JAX}, which holds JAX's functions, has no gradient of its own"
        return ""


def reaching(nodes: Nodes) -> tuple[str, ...]:
    """Returns the operators that would read or write files, print, or run Python, once called."""
    return tuple(sorted({node.op for node in nodes} & _REACHING))


def operators(names: Iterable[str]) -> tuple[Operator, ...]:
    """Counts names, the most frequent first."""
    counts = Counter(names)
    return tuple(
        Operator(name, count)
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def stablehlo_operators(nodes: Nodes) -> tuple[Operator, ...] | None:
    """Counts the operations of the functions of JAX's; None where one of them cannot be read.

    They are serialized modules of StableHLO (https://openxla.org/stablehlo/compatibility).
    """
    names: list[str] = []

    def note(operation: ir.Operation) -> ir.WalkResult:
        names.append(operation.name)
        return ir.WalkResult.ADVANCE

    for node in nodes:
        if node.op != _JAX:
            continue
        try:
            with ir.Context() as context:
                module = stablehlo.deserialize_portable_artifact(context, node.attr["module"].s)
                module.operation.walk(note)
        except (ir.MLIRError, ValueError, RuntimeError):
            return None
    return operators(name for name in names if not name.startswith(("func.", "builtin.")))
