"""Names the tensors of a TFLite graph after the network's layers, as `Conv_0` and `Conv_0/kernel`.

TFLite's converter names each tensor after all the code that it comes from, in some hundred bytes:
`max;jit(apply_flat)/CNN/CNN._encode/Conv_0/add;jit(apply_flat)/CNN/CNN._encode/Conv_0/reshape1`.
Without any names, tools such as ai-edge-quantizer refuse the file.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from tensorflow.lite.python import schema_py_generated as schema

_CASTS = ("QUANTIZE", "DEQUANTIZE")
_WEIGHTS = {1: "kernel", 2: "bias"}
# What an operator's constants are, by their place among its inputs; others are just constants.
_ROLES = {
    "AVERAGE_POOL_2D": _WEIGHTS,  # see integer_pooling
    "CONV_2D": _WEIGHTS,
    "DEPTHWISE_CONV_2D": _WEIGHTS,
    "FULLY_CONNECTED": _WEIGHTS,
    "RESHAPE": {1: "shape"},
    "TRANSPOSE_CONV": {0: "shape", 1: "kernel", 3: "bias"},
}
_ARGUMENT = "jax2tf_arg"  # of the exported function: a parameter
_PRODUCTS = ("conv_general_dilated", "dot_general")  # JAX's names
_TYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if name.isupper()}
_Path = tuple[str, ...]


def name_tensors(
    graph: schema.SubGraphT,
    operators: Sequence[str],
    computed: set[int],
    borders: Mapping[int, str],
) -> None:
    """Gives every tensor a short, unique ASCII name, in place.

    The result of an operator gets the name of its layer, or of the operator if that is in no layer
    or is not the layer's last. Constants become `<that name>/kernel`, `/bias`, `/shape` or
    `/constant`; the result of QUANTIZE or DEQUANTIZE becomes `<the tensor's name>/int8` or
    `/float32`. A name that is already taken gets a number. So the same part of the network has the
    same name in the models of all recipes.

    Args:
      graph: as TFLite's converter has named it.
      operators: TFLite's names of its operators.
      computed: the tensors that depend on the input.
      borders: the names of input and output, by tensor.
    """
    names = dict(borders)

    def give(tensor: int, name: str) -> None:
        if tensor >= 0 and tensor not in names:  # -1 stands for an input that is left out
            names[tensor] = _free(name, names.values())

    def cast(tensor: int, name: str) -> None:
        give(tensor, f"{name}/{_TYPES[graph.tensors[tensor].type]}")

    sources = {}
    for operator, kind in zip(graph.operators, operators, strict=True):
        if kind in _CASTS:
            (source,), (result,) = operator.inputs, operator.outputs
            sources[result] = source
            if result in borders:
                cast(source, borders[result])
    for operator, kind, label in zip(
        graph.operators, operators, _labels(graph, operators, computed), strict=True
    ):
        if kind in _CASTS:
            if operator.inputs[0] in names:
                cast(operator.outputs[0], names[operator.inputs[0]])
            continue
        for place, tensor in enumerate(operator.inputs):
            name = f"{label}/{_ROLES.get(kind, {}).get(place, 'constant')}"
            if tensor in sources and tensor not in names:  # float16
                give(sources[tensor], name)
                cast(tensor, names[sources[tensor]])
            give(tensor, name)
        for tensor in operator.outputs:
            give(tensor, label)
    for index, tensor in enumerate(graph.tensors):
        give(index, "unused")
        tensor.name = names[index].encode()


def _labels(
    graph: schema.SubGraphT, operators: Sequence[str], computed: set[int]
) -> list[str | None]:
    """Returns a name for each operator, no two the same; None for casts."""
    layers = [
        None if kind in _CASTS else _layer(graph, operator, computed)
        for operator, kind in zip(graph.operators, operators, strict=True)
    ]
    paths = [layer for layer in layers if layer]
    prefix = _shared(paths)  # the network itself
    labels: list[str | None] = []
    for number, (layer, kind) in enumerate(zip(layers, operators, strict=True)):
        if layer is None:
            labels.append(None)
            continue
        has_parts = any(path[: len(layer)] == layer != path for path in paths)
        is_last = layer not in layers[number + 1 :]
        path = layer[prefix:] if is_last and not has_parts else (*layer[prefix:], kind.lower())
        name = re.sub(r"[^\w./-]", "_", "/".join(path) or kind.lower(), flags=re.ASCII)
        labels.append(_free(name, labels))
    return labels


def _layer(graph: schema.SubGraphT, operator: schema.OperatorT, computed: set[int]) -> _Path:
    """Returns the names of the modules that an operator is in, from the outermost to its layer."""
    constants = [tensor for tensor in operator.inputs if tensor >= 0 and tensor not in computed]
    locations = [graph.tensors[tensor].name or b"" for tensor in (*operator.outputs, *constants)]
    paths = [path.split("/") for name in locations for path in name.decode().split(";")]
    # What is fused with a product may come from elsewhere.
    paths.sort(key=lambda path: not path[-1].startswith(_PRODUCTS))
    return next(filter(None, map(modules, paths)), ())


def modules(path: Sequence[str]) -> tuple[str, ...]:
    """Returns a path through the code without JAX's transformations, methods and the primitive."""
    modules: list[str] = []
    for part in path[:-1]:
        is_method = any(part.startswith(f"{module}.") for module in modules)
        if "(" not in part and not is_method and not part.startswith(_ARGUMENT):
            modules.append(part)
    return tuple(modules)


def _shared(paths: Sequence[_Path]) -> int:
    """Returns the number of outer modules that all paths share, less than the longest path's."""
    longest = max(paths, key=len, default=())
    shared = 0
    while shared < len(longest) - 1 and len({path[: shared + 1] for path in paths}) == 1:
        shared += 1
    return shared


def _free(name: str, taken: Iterable[str | None]) -> str:
    """Returns the name, with a number if it is taken."""
    taken, number, free = set(taken), 0, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
