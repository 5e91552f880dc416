"""Saves every epoch of a training, so that an interrupted one can go on. Needs JAX and Orbax."""

import dataclasses
import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from orbax import checkpoint as ocp

from modules.models.leaves import named_leaves, numbered
from modules.provenance.fingerprint import fingerprint
from modules.provenance.import_closure import Code
from modules.training.feed import Images
from modules.training.job import TrainingJob

_TRAINING = "modules.training.loop"  # what it can import decides over the numbers it ends with
_DIGESTED_AT_ONCE = 2048  # images
_KEPT = 2  # the last epoch and, should that be damaged, the one before


def training_key(
    images: Images, labels: np.ndarray, job: TrainingJob, code: Code | None = None
) -> str:
    """Returns a digest of all that decides over a training's result, 16 hexadecimal digits.

    That is the data, the job with the model's code, the code of the training, the versions of the
    libraries and the devices.

    Args:
      images: normalised, so that another normalisation gives another key.
      labels: int[N].
      job: its digests stand for the model, wherever that lies.
      code: as it is on the disk; None reads it now.
    """
    facts = (
        job.task.to_json(),
        sorted(dataclasses.asdict(job.train).items()),
        tuple(job.digests),
        fingerprint([_TRAINING], code),
        (jax.default_backend(), jax.device_count()),
    )
    digest = hashlib.sha256(repr(facts).encode())
    for start in range(0, len(images), _DIGESTED_AT_ONCE):
        digest.update(np.ascontiguousarray(images[start : start + _DIGESTED_AT_ONCE]))
    digest.update(np.asarray(labels, np.int64).tobytes())
    return digest.hexdigest()[:16]


class Checkpoints:
    """The last epochs of one training, in the folder `directory/key`."""

    def __init__(
        self, directory: str | Path, key: str, notify: Callable[[str], None] = warnings.warn
    ) -> None:
        """Opens the folder, or makes it.

        Args:
          directory: of the checkpoints of all trainings.
          key: of this training; see `training_key`.
          notify: told, in a line, of what was found damaged and of what is taken up again.
        """
        self._folder = Path(directory).absolute() / key
        self._notify = notify
        self._manager = self._open()

    def _open(self) -> ocp.CheckpointManager:
        options = ocp.CheckpointManagerOptions(
            max_to_keep=_KEPT, cleanup_tmp_directories=True, enable_async_checkpointing=False
        )
        return ocp.CheckpointManager(self._folder, options=options)

    def save(self, epoch: int, state: Any, history: list[Any]) -> None:
        """Saves what an epoch ended with; when this returns, it is on the disk.

        Args:
          epoch: counted from 1.
          state: any tree of NumPy arrays.
          history: dataclasses of plain numbers, one for each epoch so far.
        """
        plain = [dataclasses.asdict(metrics) for metrics in history]
        facts = {"history": plain, "digest": _digest(state, plain)}
        saved = ocp.args.Composite(
            state=ocp.args.StandardSave(numbered(state)), facts=ocp.args.JsonSave(facts)
        )
        self._manager.save(epoch, args=saved)

    def restore_latest(self, like: Any) -> tuple[Any, list[dict[str, Any]]] | None:
        """Returns the state and the history of the last epoch that can be read, None without one.

        A damaged epoch is moved aside, to `directory/key-damaged`.

        Args:
          like: a state of the same structure, shapes and dtypes.
        """
        while (epoch := self._manager.latest_step()) is not None:
            try:
                state, history = self._restore(epoch, like)
            except Exception as error:  # a damaged file can raise anything
                self._set_aside(epoch, error)
            else:
                self._notify(f"going on after epoch {epoch}, saved in {self._folder}")
                return state, history
        return None

    def _restore(self, epoch: int, like: Any) -> tuple[Any, list[dict[str, Any]]]:
        wanted = ocp.args.Composite(
            state=ocp.args.StandardRestore(numbered(like)), facts=ocp.args.JsonRestore()
        )
        saved = self._manager.restore(epoch, args=wanted)
        leaves = [np.asarray(saved.state[number]) for number in numbered(like)]
        state = jax.tree.unflatten(jax.tree.structure(like), leaves)
        if _digest(state, saved.facts["history"]) != saved.facts["digest"]:
            raise ValueError("its numbers are not those that were saved")
        return state, saved.facts["history"]

    def _set_aside(self, epoch: int, error: Exception) -> None:
        damaged = self._folder / str(epoch)
        aside = self._folder.with_name(f"{self._folder.name}-damaged") / str(epoch)
        self._manager.close()
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(exist_ok=True)
        damaged.rename(aside)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        self._notify(
            f"the checkpoint {damaged} is damaged ({reason}); moved it to {aside}, taking the epoch"
            " before"
        )
        self._manager = self._open()

    def remove(self) -> None:
        """Removes this training's checkpoints, once its result is safe elsewhere."""
        self._manager.close()
        shutil.rmtree(self._folder)


def _digest(state: Any, history: list[dict[str, Any]]) -> str:
    """Returns a digest of all names and numbers of a tree of arrays, and of a history."""
    digest = hashlib.sha256(json.dumps(history, sort_keys=True).encode())
    for name, leaf in named_leaves(state):
        digest.update(f"{name} {leaf.dtype} {leaf.shape}".encode() + np.asarray(leaf).tobytes())
    return digest.hexdigest()
