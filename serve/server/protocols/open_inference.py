"""The Open Inference Protocol's tensors as arrays, and back; also how numbers of JSON are read.

https://github.com/open-inference/open-inference-protocol
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mlserver.errors import InferenceError

from data.errors import shown
from serve.server.limits import MAX_IMAGES
from serve.server.model.saved_model import SavedModel

LOGITS, PROBABILITIES, CLASS = "logits", "probabilities", "class"
_FLOAT = "FP32"
_DATATYPES = {np.dtype(np.float32): _FLOAT, np.dtype(np.int64): "INT64"}


def images_of(inputs: Any, model: SavedModel) -> np.ndarray:
    """Returns the images of a request as float32[B, pixels].

    Args:
      inputs: what the protocol calls so: a sequence of one mapping with `name`, `datatype`, `shape`
        and `data`, the last as numbers, rows of them, or a flat float32 array.
      model: that they are for.

    Raises:
      InferenceError: they are something else.
    """
    if not isinstance(inputs, Sequence) or len(inputs) != 1 or not isinstance(inputs[0], Mapping):
        raise InferenceError(f"inputs: expected one tensor, {model.input}")
    given = inputs[0]
    if given.get("name") != model.input:
        raise InferenceError(f"inputs: expected {model.input}, got {_told(given.get('name'))}")
    if given.get("datatype") != _FLOAT:
        raise InferenceError(
            f"{model.input}: expected datatype {_FLOAT}, got {_told(given.get('datatype'))}"
        )
    shape = given.get("shape")
    if not (
        isinstance(shape, Sequence)
        and len(shape) == 2
        and all(type(size) is int for size in shape)
        and shape[0] >= 1
        and shape[1] == model.pixels
    ):
        raise InferenceError(
            f"{model.input}: expected shape [images, {model.pixels}], got {_told(shape)}"
        )
    images = numbers(given.get("data"), model)
    if len(images) != shape[0]:
        raise InferenceError(
            f"{model.input}: shape {_told(shape)} is of {shape[0]} images, data of {len(images)}"
        )
    return images


def numbers(data: Any, model: SavedModel) -> np.ndarray:
    """Returns float32[B, pixels] for numbers of JSON, flat or in rows, or for a flat float32 array.

    Raises:
      InferenceError: they are none, not finite, too few or too many.
    """
    if not isinstance(data, np.ndarray):
        if not isinstance(data, list) or not data:
            raise InferenceError(f"{model.input}: expected a list of numbers, got {_told(data)}")
        if isinstance(data[0], list):
            if any(type(row) is not list or len(row) != model.pixels for row in data):
                raise InferenceError(f"{model.input}: expected rows of {model.pixels} numbers each")
            data = list(itertools.chain.from_iterable(data))
        # Before NumPy sees them, which would take strings for numbers, or numbers for strings.
        if others := set(map(type, data)) - {int, float}:
            names = ", ".join(sorted(kind.__name__ for kind in others))
            raise InferenceError(f"{model.input}: expected numbers, got {names}")
    count, rest = divmod(len(data), model.pixels)
    if rest or not count:
        raise InferenceError(
            f"{model.input}: expected {model.pixels} numbers an image, got {len(data)} in all"
        )
    if count > MAX_IMAGES:
        raise InferenceError(
            f"{model.input}: expected at most {MAX_IMAGES} images a request, got {count}"
        )
    try:
        with np.errstate(over="ignore"):
            images = np.asarray(data, np.float32).reshape(count, model.pixels)
    except OverflowError as error:
        raise InferenceError(f"{model.input}: a number is too large for {_FLOAT}") from error
    if not np.isfinite(images).all():
        raise InferenceError(f"{model.input}: expected finite numbers, got NaN or infinity")
    return images


def outputs_of(wanted: Any, model: SavedModel) -> list[str]:
    """Returns the names of the outputs that a request wants, all if it names none.

    Args:
      wanted: what the protocol calls `outputs`: None, or a sequence of mappings with `name`.
      model: that is asked.

    Raises:
      InferenceError: there is no such output.
    """
    known = output_names(model)
    if not wanted:
        return known
    names = [
        one.get("name") if isinstance(one, Mapping) else one
        for one in (wanted if isinstance(wanted, Sequence) else [wanted])
    ]
    for name in names:
        if name not in known:
            raise InferenceError(f"outputs: expected {', '.join(known)}, got {_told(name)}")
    return [name for name in known if name in names]


def output_names(model: SavedModel) -> list[str]:
    """Returns what can be asked of a model: of logits, also what follows from them."""
    return [LOGITS, PROBABILITIES, CLASS] if model.output == LOGITS else [model.output]


def arrays(logits: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns outputs by name: float32[B, classes], and for the class int64[B]."""
    found = {}
    for name in names:
        if name == PROBABILITIES:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            found[name] = powers / powers.sum(axis=1, keepdims=True)
        elif name == CLASS:
            found[name] = logits.argmax(axis=1).astype(np.int64)
        else:
            found[name] = logits
    return found


def tensors(outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Returns outputs as the protocol names their parts; `data` is a flat array."""
    return [
        {
            "name": name,
            "datatype": _DATATYPES[array.dtype],
            "shape": list(array.shape),
            "data": np.ascontiguousarray(array).reshape(-1),
        }
        for name, array in outputs.items()
    ]


def input_metadata(model: SavedModel) -> list[dict[str, Any]]:
    """Returns what the protocol says of a model's inputs."""
    return [{"name": model.input, "datatype": _FLOAT, "shape": [-1, model.pixels]}]


def output_metadata(model: SavedModel) -> list[dict[str, Any]]:
    """Returns what the protocol says of a model's outputs."""
    shapes = {CLASS: ("INT64", [-1])}
    found = []
    for name in output_names(model):
        datatype, shape = shapes.get(name, (_FLOAT, [-1, model.classes]))
        found.append({"name": name, "datatype": datatype, "shape": shape})
    return found


def _told(value: Any) -> str:
    """Returns a value of a request as a message shows it, without going through all of it."""
    if isinstance(value, str | int | float):
        return shown(repr(value[:1000] if isinstance(value, str) else value))
    if not isinstance(value, Sequence):
        return type(value).__name__
    parts = [str(one) if isinstance(one, int | float) else type(one).__name__ for one in value[:4]]
    return f"[{', '.join(parts)}{', ...' if len(value) > 4 else ''}]"
