"""What a SavedModel offers, read from its files; nothing in it is loaded or called."""

import math
import os
import re
from pathlib import Path

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.saved_model import loader_impl

from data.errors import DataError, disk_errors
from modules.inspection import functions
from modules.inspection.files import GRAPH_FILES, LARGEST
from modules.inspection.functions import Library
from modules.inspection.report import (
    FineTuning,
    Parameters,
    ServerModel,
    Signature,
    Tensor,
    Variable,
)
from modules.inspection.saved_objects import Objects, dtype_name, shape_of, variable_of

_SERVE = "serve"
_FIRST_BYTES = b"\x08\x12"  # of a message: the field of its version, or its first graph

_VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
_SHARD = re.compile(r"variables\.data-\d{5}-of-(\d{5})")


def inspect(path: str) -> ServerModel:
    """Returns what a SavedModel offers.

    Args:
      path: of a folder with one of GRAPH_FILES.

    Raises:
      DataError: it is damaged, or files are missing.
    """
    folder = Path(path)
    with disk_errors("read", folder):
        sizes = {file: file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    meta_graph = _read(folder)
    try:
        objects, library = Objects(meta_graph), Library(meta_graph)
        named = objects.functions() or list(library.called(meta_graph.graph_def.node))
        nodes = [node for each in library.reached(named).values() for node in each]
        nodes += [] if objects else meta_graph.graph_def.node
        variables = objects.variables() or _old_variables(meta_graph)
        signatures = _signatures(meta_graph)
        call = objects.child("__call__")
        return ServerModel(
            path=path,
            bytes=sum(sizes.values()),
            graph_bytes=sum(sizes.get(folder / name, 0) for name in GRAPH_FILES),
            variable_bytes=_variable_bytes(folder, variables),
            tags=tuple(meta_graph.meta_info_def.tags),
            tensorflow=meta_graph.meta_info_def.tensorflow_version,
            signatures=signatures,
            operators=library.counted(nodes),
            stablehlo=functions.stablehlo_operators(nodes),
            unknown_operators=library.unknown(nodes),
            reaching_operators=functions.reaching(nodes),
            parameters=_totals(variables),
            constants=sum(map(_constant, nodes)),
            batch_sizes=_different(
                _batch_sizes(signatures) if call is None else objects.batch_sizes(call)
            ),
            fine_tuning=_fine_tuning(objects, library),
        )
    except (LookupError, ValueError, TypeError) as error:
        raise _damaged(folder, f"its graph refers to what is not in it: {error}") from error


def _read(folder: Path) -> meta_graph_pb2.MetaGraphDef:
    """Returns the graph for serving, or the first one there is."""
    file = folder / GRAPH_FILES[0]
    if file.exists():
        with disk_errors("read", file), open(file, "rb") as opened:
            start, size = opened.read(1), os.fstat(opened.fileno()).st_size
        if not start or start not in _FIRST_BYTES or size > LARGEST:
            raise _damaged(file, f"it has {size:,} bytes and does not begin as one")
    try:
        graphs = loader_impl.parse_saved_model(str(folder)).meta_graphs
    except (OSError, ValueError, message.Error, tf.errors.OpError) as error:
        raise _damaged(file, "it is no whole message") from error
    if not graphs:
        raise _damaged(file, "there is no graph in it")
    return next((each for each in graphs if _SERVE in each.meta_info_def.tags), graphs[0])


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path}: expected a whole SavedModel, and this one is cut or damaged ({reason}); export "
        "or copy it again"
    )


def _signatures(meta_graph: meta_graph_pb2.MetaGraphDef) -> tuple[Signature, ...]:
    found = []
    for name, signature in sorted(meta_graph.signature_def.items()):
        inputs, outputs = (
            tuple(
                Tensor(key, dtype_name(info.dtype), shape_of(info.tensor_shape))
                for key, info in sorted(tensors.items())
            )
            for tensors in (signature.inputs, signature.outputs)
        )
        if not name.startswith("__saved_model_"):  # how it is made ready, which nobody calls
            found.append(Signature(name, inputs, outputs))
    return tuple(found)


def _batch_sizes(signatures: tuple[Signature, ...]) -> list[int | None]:
    """Returns how long the first input of each signature is that is no scalar."""
    shapes = [[tensor.shape for tensor in each.inputs if tensor.shape != ()] for each in signatures]
    return [found[0][0] if found[0] else None for found in shapes if found]


def _different(sizes: list[int | None]) -> tuple[int | None, ...]:
    return tuple(sorted(set(sizes), key=lambda size: math.inf if size is None else size))


def _old_variables(meta_graph: meta_graph_pb2.MetaGraphDef) -> list[Variable]:
    """Returns the variables of a SavedModel of TensorFlow 1, which are nodes of its graph."""
    return [
        variable_of(node.name, node.attr["dtype"].type, node.attr["shape"].shape)
        for node in meta_graph.graph_def.node
        if node.op in _VARIABLES
    ]


def _size(variable: Variable) -> int:
    """Returns the bytes of a variable; of one without a fixed size, none."""
    try:
        return variable.numbers * tf.dtypes.as_dtype(variable.dtype).size
    except TypeError:
        return 0


def _totals(variables: list[Variable]) -> tuple[Parameters, ...]:
    totals: dict[str, Parameters] = {}
    for each in variables:
        before = totals.get(each.dtype, Parameters(each.dtype, 0, 0))
        numbers, size = before.numbers + each.numbers, before.bytes + _size(each)
        totals[each.dtype] = Parameters(each.dtype, numbers, size)
    return tuple(sorted(totals.values(), key=lambda each: (-each.bytes, each.dtype)))


def _variable_bytes(folder: Path, variables: list[Variable]) -> int:
    """Returns the bytes of the files with the variables.

    Raises:
      DataError: one of them is missing, or shorter than the variables are.
    """
    files = folder / "variables"
    shards = {
        file: int(match[1]) for file in files.glob("*") if (match := _SHARD.fullmatch(file.name))
    }
    if variables and not (files / "variables.index").is_file():
        raise _damaged(folder, "variables/variables.index is missing")
    if variables and (not shards or len(shards) < max(shards.values())):
        raise _damaged(folder, "a file variables/variables.data-... is missing")
    size, expected = sum(file.stat().st_size for file in shards), sum(map(_size, variables))
    if size < expected:
        raise _damaged(
            folder, f"variables/ holds {size:,} bytes of variables, expected {expected:,}"
        )
    return sum(file.stat().st_size for file in files.glob("*") if file.is_file())


def _constant(node: node_def_pb2.NodeDef) -> int:
    """Returns how many floating-point numbers a node holds."""
    value = node.attr["value"].tensor if node.op == "Const" else None
    if value is None or not dtype_name(value.dtype).startswith(("float", "bfloat")):
        return 0
    return math.prod(axis.size for axis in value.tensor_shape.dim)


def _fine_tuning(objects: Objects, library: Library) -> FineTuning:
    """Says whether the root is a reusable SavedModel with gradients.

    See https://www.tensorflow.org/hub/reusable_saved_models.
    """
    trainable = tuple(objects.listed("trainable_variables") or ())
    call = objects.child("__call__")
    if not objects:
        reason = "it has no objects, as TensorFlow 1 made it, so only its signatures can be called"
    elif call is None:
        reason = "the model itself cannot be called, only its signatures"
    elif objects.listed("variables") is None:
        reason = "it does not list its variables, as `variables` and `trainable_variables`"
    elif not trainable:
        reason = "`trainable_variables` lists none"
    elif missing := library.without_gradient(objects.functions(call)):
        reason = missing
    else:
        reason = "the model can be called, lists its trainable variables, and has its gradients"
        return FineTuning(True, reason, trainable)
    return FineTuning(False, reason, trainable)
