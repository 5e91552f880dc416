"""Asks runtimes what a model says of images, each in a process of its own."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import shown
from data.files import PROJECT_ROOT
from modules.inference.runtimes.catalogue import CANNOT_RUN, RUNTIMES
from modules.inference.runtimes.tensors import NotAModelError, Tensor, borders

LIMIT_S = 600.0
_AT_ONCE = 1024  # rows that are converted together
_POLL_S = 0.01
_MOST_SAID = 8192  # bytes, of the end of what a process wrote to standard error
# A file that is run may be damaged, or made to harm: what runs it learns no more of this process.
_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH")


class NotRunError(RuntimeError):
    """A runtime gave no answers; the message is a sentence that names it.

    Attributes:
      is_failure: it tried, and failed. Otherwise it cannot run such a file, is not here or was too
        slow, of which none is the file's fault.
    """

    def __init__(self, message: str, is_failure: bool = False):
        super().__init__(message)
        self.is_failure = is_failure


@dataclass(frozen=True)
class Prepared:
    """A model, and the rows that it is asked about, as all runtimes get them.

    Attributes:
      model: absolute path of the file.
      inputs: the file with the rows.
      rows: how many there are.
      input: the model's.
      output: the model's.
    """

    model: Path
    inputs: Path
    rows: int
    input: Tensor
    output: Tensor


@dataclass(frozen=True)
class Answers:
    """What a runtime says.

    Attributes:
      logits: float32[N, classes].
      stored: the same as they stand in the output tensor.
      is_quantized: whether `stored` counts in steps.
      seconds: that the process took, its start included.
    """

    logits: np.ndarray
    stored: np.ndarray
    is_quantized: bool
    seconds: float


def prepare(model: Path, images: np.ndarray, inputs: Path) -> Prepared:
    """Writes what a model is given for images float32[N, pixels] in [0, 1] into the file `inputs`.

    They may be a memory-mapped file: a part of them at a time is in memory.

    Raises:
      NotAModelError: the file is no TFLite model, or one for other images.
      OSError: a file cannot be read or written.
    """
    entry, result = borders(model)
    if entry.width != images.shape[1]:
        raise NotAModelError(
            f"{model.name} takes {entry.width} numbers for an image, and these have "
            f"{images.shape[1]} pixels"
        )
    with open(inputs, "wb") as file:
        for start in range(0, len(images), _AT_ONCE):
            file.write(entry.stored(images[start : start + _AT_ONCE]).tobytes())
    return Prepared(model.absolute(), inputs, len(images), entry, result)


def run(runtime: str, model: Path, images: np.ndarray, limit_s: float = LIMIT_S) -> Answers:
    """Returns what a runtime says of images float32[N, pixels] in [0, 1].

    Args:
      runtime: of `catalogue.RUNTIMES`.
      model: a TFLite file with one input and one output.
      images: at least one.
      limit_s: seconds after which the runtime is stopped.

    Raises:
      NotAModelError: the file is no such model.
      NotRunError: the runtime gave no answers.
      OSError: the disk refuses.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(Path(model), images, Path(folder, "inputs"))
        (found,) = run_all([(runtime, prepared)], Path(folder), limit_s)
    if isinstance(found, NotRunError):
        raise found
    return found


def run_all(
    questions: Sequence[tuple[str, Prepared]],
    folder: Path,
    limit_s: float = LIMIT_S,
    at_once: int = 1,
) -> list[Answers | NotRunError]:
    """Runs each model in each runtime, and returns what came of it in the same order.

    Args:
      questions: names of runtimes, each with what it is asked.
      folder: for files that are removed again.
      limit_s: seconds that each may take.
      at_once: how many processes may run at the same time.

    Raises:
      OSError: the disk refuses.
    """
    found: list[Answers | NotRunError | None] = [None] * len(questions)
    running: dict[int, _Process] = {}
    waiting = list(enumerate(questions))
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number, (name, prepared) = waiting.pop(0)
                try:
                    running[number] = _Process(name, prepared, Path(folder, str(number)), limit_s)
                except NotRunError as error:
                    found[number] = error
            time.sleep(_POLL_S)
            for number, process in list(running.items()):
                if process.has_ended():
                    found[number] = running.pop(number).result()
    finally:
        for process in running.values():
            process.stop()
    return found


class _Process:
    """A runtime at work on a model."""

    def __init__(self, name: str, prepared: Prepared, scratch: Path, limit_s: float):
        runtime = RUNTIMES[name]
        if missing := runtime.missing():
            raise NotRunError(missing)
        self._name, self._prepared, self._limit_s = name, prepared, limit_s
        self._outputs, self._said = scratch.with_suffix(".out"), scratch.with_suffix(".err")
        paths = (prepared.model, prepared.inputs, self._outputs)
        self._started, self._was_stopped, self._seconds = time.monotonic(), False, 0.0
        with open(self._said, "wb") as said:
            try:
                self._process = subprocess.Popen(
                    [*runtime.arguments(), *map(str, paths)],
                    cwd=PROJECT_ROOT,
                    env={key: os.environ[key] for key in _HANDED_ON if key in os.environ},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                )
            except OSError as error:
                raise NotRunError(f"{name} could not be started: {error}", True) from error

    def has_ended(self) -> bool:
        """Returns whether it has; one that is over its time is ended."""
        ended = self._process.poll() is not None
        self._seconds = time.monotonic() - self._started
        if not ended and self._seconds > self._limit_s:
            self._was_stopped = ended = True
            self.stop()
        return ended

    def stop(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()

    def result(self) -> Answers | NotRunError:
        """Returns what came of it once it has ended, and removes its files."""
        try:
            return self._result()
        finally:
            self._outputs.unlink(missing_ok=True)
            self._said.unlink(missing_ok=True)

    def _result(self) -> Answers | NotRunError:
        name, prepared, status = self._name, self._prepared, self._process.returncode
        if self._was_stopped:
            return NotRunError(f"{name} was stopped after {self._limit_s:.0f} s")
        if status == CANNOT_RUN:
            return NotRunError(f"{name} cannot run this file: {self._last_line()}")
        if status < 0:
            how = signal.strsignal(-status) or f"signal {-status}"
            return NotRunError(f"{name} crashed over this file: {how}", is_failure=True)
        if status:
            said = self._last_line()
            return NotRunError(f"{name} failed with status {status}: {said}", is_failure=True)
        expected = prepared.rows * prepared.output.row_bytes
        written = self._outputs.stat().st_size if self._outputs.is_file() else 0
        if written != expected:
            return NotRunError(
                f"{name} wrote {written} bytes for {prepared.rows} images, expected {expected}",
                is_failure=True,
            )
        stored = np.fromfile(self._outputs, prepared.output.dtype)
        stored = stored.reshape((prepared.rows, prepared.output.width))
        logits = prepared.output.real(stored)
        return Answers(logits, stored, prepared.output.scale is not None, self._seconds)

    def _last_line(self) -> str:
        with open(self._said, "rb") as file:
            file.seek(max(0, self._said.stat().st_size - _MOST_SAID))
            text = file.read().decode(errors="replace")
        text = text.replace(f"{self._prepared.model}", self._prepared.model.name)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return shown(lines[-1]) if lines else "it did not say why"
