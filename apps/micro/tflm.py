"""TensorFlow Lite Micro on this machine, by `run_model.py` in `.venv-micro`."""

import dataclasses
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from apps.micro import run_model
from apps.micro.model_file import ModelFile
from data.errors import DataError
from data.files import PROJECT_ROOT

BIN = PROJECT_ROOT / ".venv-micro" / "bin"
_ARENA_STEP = 16  # bytes, to which the arena is aligned
_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the model says.

    Attributes:
      outputs: int8[N, classes].
      arena_bytes: that the interpreter had.
      seconds: the median of an image.
    """

    outputs: np.ndarray
    arena_bytes: int
    seconds: float


class DoesNotFitError(DataError):
    """TensorFlow Lite Micro does not run the model, or not in the arena that was given."""


def ask(model: ModelFile, inputs: np.ndarray, arena_bytes: int | None = None) -> Answers:
    """Runs the model in a process of its own, image by image.

    Args:
      model: to run.
      inputs: int8[N, *shape of the input without the batch].
      arena_bytes: of the interpreter; None for as many as it takes, and up to twice that.

    Raises:
      DoesNotFitError: TensorFlow Lite Micro does not run it, or not in this arena.
      DataError: anything else went wrong.
    """
    with tempfile.TemporaryDirectory() as name:
        given, made = Path(name, "inputs"), Path(name, "outputs")
        inputs.tofile(given)
        arena = [] if arena_bytes is None else [str(arena_bytes)]
        done = subprocess.run(
            [BIN / "python", run_model.__file__, model.path, given, made, *arena],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
        if done.returncode:
            reason = (done.stderr.splitlines() or [f"ended with status {done.returncode}"])[-1]
            is_about_model = done.returncode == run_model.CANNOT_RUN
            raise (DoesNotFitError if is_about_model else DataError)(reason)
        outputs = np.fromfile(made, np.int8).reshape(-1, *model.output.shape[1:])
    said = json.loads(done.stdout)
    return Answers(outputs, said["arena_bytes"], said["seconds"])


def least_arena(model: ModelFile, image: np.ndarray, enough: int) -> int:
    """Returns the least number of bytes, a multiple of 16, that the model runs in.

    Each size is tried in a process of its own, by running the model on an image: it runs in what is
    returned, and does not in 16 bytes less.

    Args:
      model: to run.
      image: int8[1, *shape of the input without the batch].
      enough: a size that it runs in.
    """
    too_few, enough = 0, -(-enough // _ARENA_STEP)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        try:
            ask(model, image, middle * _ARENA_STEP)
            enough = middle
        except DoesNotFitError:
            too_few = middle
    return enough * _ARENA_STEP
