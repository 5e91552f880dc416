"""A model's variables on the disk: any tree of arrays, bit for bit. Needs JAX and Orbax."""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from orbax import checkpoint as ocp

from modules.models.leaves import named_leaves, numbered
from modules.models.protocol import Variables

NAME = "variables"  # of Orbax's folder
# Its two parts: the arrays by number, and the name, shape and dtype of each.
_ARRAYS, _LEAVES = "arrays", "leaves"


class VariablesError(ValueError):
    """What a folder holds are not the variables of the model."""


def save_variables(folder: str | os.PathLike[str], variables: Variables) -> None:
    """Writes variables into `folder`/variables, with Orbax.

    Args:
      folder: has none yet.
      variables: a tree of arrays, of whatever keys.

    Raises:
      ValueError: the folder has variables.
    """
    arrays = {number: np.asarray(leaf) for number, leaf in numbered(variables).items()}
    parts = {
        _ARRAYS: ocp.args.StandardSave(arrays),
        _LEAVES: ocp.args.JsonSave(_described(variables)),
    }
    with _checkpointer() as checkpointer:
        checkpointer.save(_place(folder), ocp.args.Composite(**parts))


def load_variables(folder: str | os.PathLike[str], like: Variables) -> Variables:
    """Returns the variables that `save_variables` wrote, as NumPy arrays with the same bits.

    Args:
      folder: as it was given to `save_variables`.
      like: has the structure, shapes and dtypes, as `Network.shapes` returns them.

    Raises:
      VariablesError: they are others; each leaf that differs is named.
    """
    with _checkpointer() as checkpointer:
        leaves = _read_leaves(checkpointer, _place(folder))
        if problems := _differences(leaves, _described(like)):
            raise VariablesError(
                f"{folder} does not hold the variables of this model: {'; '.join(problems)}"
            )
        arrays = _read_arrays(checkpointer, _place(folder), leaves)
    return jax.tree.unflatten(jax.tree.structure(like), arrays)


def holds_variables(folder: Path) -> bool:
    """Returns whether `save_variables` wrote into a folder, or made it."""
    return any((place / _LEAVES).is_dir() for place in (folder, folder / NAME))


def named_arrays(folder: Path) -> dict[str, np.ndarray]:
    """Returns what such a folder holds, by the names of the leaves, whatever their tree was."""
    place = folder if (folder / _LEAVES).is_dir() else folder / NAME
    with _checkpointer() as checkpointer:
        leaves = _read_leaves(checkpointer, place.absolute())
        arrays = _read_arrays(checkpointer, place.absolute(), leaves)
    return {leaf["name"]: array for leaf, array in zip(leaves, arrays, strict=True)}


def _place(folder: str | os.PathLike[str]) -> Path:
    return Path(folder).absolute() / NAME


def _checkpointer() -> ocp.Checkpointer:
    return ocp.Checkpointer(ocp.CompositeCheckpointHandler())


def _read_leaves(checkpointer: ocp.Checkpointer, place: Path) -> list[dict[str, Any]]:
    wanted = ocp.args.Composite(**{_LEAVES: ocp.args.JsonRestore()})
    return checkpointer.restore(place, wanted)[_LEAVES]


def _read_arrays(
    checkpointer: ocp.Checkpointer, place: Path, leaves: list[dict[str, Any]]
) -> list[np.ndarray]:
    # As NumPy arrays they come as they are, whatever devices they were saved from.
    like = {
        str(number): np.empty(leaf["shape"], jnp.dtype(leaf["dtype"]))
        for number, leaf in enumerate(leaves)
    }
    wanted = ocp.args.Composite(**{_ARRAYS: ocp.args.StandardRestore(like)})
    arrays = checkpointer.restore(place, wanted)[_ARRAYS]
    return [np.asarray(arrays[number]) for number in like]


def _described(variables: Variables) -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": list(leaf.shape), "dtype": str(np.dtype(leaf.dtype))}
        for name, leaf in named_leaves(variables)
    ]


def _differences(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[str]:
    """Returns what differs between two lists of leaves, which are in the order of their trees."""
    if [leaf["name"] for leaf in found] != [leaf["name"] for leaf in wanted]:
        names, others = ({leaf["name"] for leaf in leaves} for leaves in (found, wanted))
        missing = [f"{name} is missing" for name in sorted(others - names)]
        return missing + [f"{name} is not expected" for name in sorted(names - others)] or [
            "the leaves are in another order"
        ]
    return [
        f"{ours['name']} is {ours['dtype']}{ours['shape']}, expected "
        f"{theirs['dtype']}{theirs['shape']}"
        for ours, theirs in zip(found, wanted, strict=True)
        if ours != theirs
    ]
