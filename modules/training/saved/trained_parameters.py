"""Parameters that somebody trained elsewhere, as the variables of a model: the setting PARAMS."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization
from orbax import checkpoint as ocp

from data.errors import ConfigError, shown
from modules.models.leaves import named_leaves
from modules.models.protocol import Variables
from modules.training.saved import variables as own

_FORMS = ".npz, .safetensors, .msgpack of Flax, or a folder of Orbax"
_SHOWN = 5  # of the entries that do not fit
_FIRST = "params"  # the collection that people often save alone


class Trained(NamedTuple):
    """Variables that were read, and sentences about what was done to them."""

    variables: Variables  # NumPy arrays
    notes: tuple[str, ...]


def read_trained(path: str | os.PathLike[str], like: Variables) -> Trained:
    """Reads parameters and checks them against a model.

    Entries are found by name: keys joined by slashes or dots, as in "params/Dense_0/kernel". The
    name of the collection may be left out. Floating types are converted to the model's, which is
    noted; other types must be the model's own.

    Args:
      path: a `.npz`, a `.safetensors`, a `.msgpack` of Flax, or a folder of Orbax: one that
        `save_variables` wrote into, or that of a StandardCheckpointer.
      like: the model's variables, as `jax.eval_shape` of its `init` gives them.

    Raises:
      ConfigError: it cannot be read, or an entry is missing, is not the model's, or has another
        shape or type.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise ConfigError(f"PARAMS: {shown(str(path))} does not exist; expected {_FORMS}")
    try:
        found = _reader(path)(path)
    except ConfigError:
        raise
    except Exception as error:  # a damaged file can raise anything
        reason = shown((str(error).splitlines() or [""])[0])
        raise ConfigError(
            f"PARAMS: {path} cannot be read as {_kind(path)}: {type(error).__name__}: {reason}"
        ) from error
    if not found:
        raise ConfigError(f"PARAMS: {path} holds no arrays; expected {_FORMS}")
    return _fitted(path, found, like)


def _kind(path: Path) -> str:
    return "a folder of Orbax" if path.is_dir() else path.suffix


def _reader(path: Path) -> Callable[[Path], Mapping[str, np.ndarray]]:
    """Returns what reads a file or a folder into arrays by name, with slashes between keys."""
    if path.is_dir():
        return _read_orbax
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors, ".msgpack": _read_msgpack}
    if path.suffix not in readers:
        raise ConfigError(f"PARAMS: {path} ends in {path.suffix!r}; expected {_FORMS}")
    return readers[path.suffix]


def _read_npz(path: Path) -> Mapping[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _read_safetensors(path: Path) -> Mapping[str, np.ndarray]:
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise ConfigError(
            f"PARAMS: {path} needs the package safetensors; install it, or save the parameters as "
            ".npz"
        ) from error
    return load_file(path)


def _read_msgpack(path: Path) -> Mapping[str, np.ndarray]:
    return _arrays(serialization.msgpack_restore(path.read_bytes()))


def _read_orbax(path: Path) -> Mapping[str, np.ndarray]:
    if own.holds_variables(path):
        return own.named_arrays(path)
    with ocp.PyTreeCheckpointer() as checkpointer:
        metadata = checkpointer.metadata(path.absolute()).item_metadata
        if metadata is None:
            raise ValueError("it holds nothing of Orbax's")
        # As NumPy arrays: the devices that they were saved from are not here.
        how = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), metadata.tree)
        return _arrays(checkpointer.restore(path.absolute(), restore_args=how))


def _arrays(tree: Any) -> Mapping[str, np.ndarray]:
    """Returns the leaves of a tree by name; NNX keeps each in a dict with the key "value"."""
    named = {name: np.asarray(leaf) for name, leaf in named_leaves(tree)}
    if all(name.endswith("/value") for name in named):
        return {name.removesuffix("/value"): leaf for name, leaf in named.items()}
    return named


def _fitted(path: Path, found: Mapping[str, np.ndarray], like: Variables) -> Trained:
    """Returns the arrays in the places of the model's, or raises ConfigError."""
    wanted = named_leaves(like)
    names = max(_spellings([name for name, _ in wanted]), key=lambda each: len(found.keys() & each))
    missing = [name for name in names if name not in found]
    extra = sorted(found.keys() - set(names))
    misfits, notes, leaves = [], [], []
    for name, (_, leaf) in zip(names, wanted, strict=True):
        if name not in found:
            continue
        array = found[name]
        if array.shape != leaf.shape:
            misfits.append(f"{name} is {list(array.shape)}, expected {list(leaf.shape)}")
        elif array.dtype != leaf.dtype:
            if not all(jnp.issubdtype(x.dtype, jnp.floating) for x in (array, leaf)):
                misfits.append(f"{name} is {array.dtype}, expected {leaf.dtype}")
            notes.append(f"{array.dtype} to {leaf.dtype}")
        if (
            jnp.issubdtype(array.dtype, jnp.inexact)
            and not np.isfinite(array.astype(np.float64)).all()
        ):
            misfits.append(f"{name} is not finite")
        leaves.append(array.astype(leaf.dtype))
    problems = [
        *(["missing " + _some(missing)] if missing else ()),
        *(["unexpected " + _some(extra)] if extra else ()),
        *([_some(misfits)] if misfits else ()),
    ]
    if problems:
        raise ConfigError(
            f"PARAMS: {path} does not fit the model: {'; '.join(problems)}; give the MODEL that "
            "was trained"
        )
    converted = tuple(
        f"{notes.count(change)} of the arrays in {path} were converted from {change}"
        for change in sorted(set(notes))
    )
    return Trained(jax.tree.unflatten(jax.tree.structure(like), leaves), converted)


def _spellings(names: list[str]) -> list[list[str]]:
    """Returns the ways that files spell the names of a model's leaves, the model's own first."""
    bare = [name.removeprefix(f"{_FIRST}/") for name in names]
    # NNX's state in one tree: parameters and statistics beside each other.
    without = [name.partition("/")[2] or name for name in names]
    ways = [names, bare, without] if len(set(without)) == len(names) else [names, bare]
    return [*ways, *([name.replace("/", ".") for name in way] for way in ways)]


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
