"""Runs a device model in TensorFlow Lite Micro: `run_model.py MODEL INPUTS OUTPUTS [ARENA_BYTES]`.

MODEL is a `.tflite` file with one input and one output. INPUTS holds rows of the input tensor, each
its raw little-endian bytes; to OUTPUTS go the rows of the output tensor, likewise. The interpreter
gets one row after the other. Its arena is of ARENA_BYTES, or else made larger until it does.

Standard output gets one line of JSON: `arena_bytes`, `rows`, and `seconds`, the median of a row.
The exit status is 0 when all is done, 3 when TensorFlow Lite Micro cannot run this model (in this
arena, if one is given), and 1 after any other error; the last line of standard error says why.

It runs in `.venv-micro`, and needs numpy and tflite_micro alone.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

FAILED, CANNOT_RUN = 1, 3  # exit statuses
_LEAST_ARENA, _LARGEST_ARENA = 64 * 1024, 1024**3  # bytes


class CannotRunError(Exception):
    """TensorFlow Lite Micro does not run the model."""


def main(arguments: list[str]) -> int:
    """Runs the command as its arguments say; returns the exit status."""
    if len(arguments) not in (3, 4) or not all(text.isdecimal() for text in arguments[3:]):
        return _fails(FAILED, f"usage: {Path(__file__).name} MODEL INPUTS OUTPUTS [ARENA_BYTES]")
    model, inputs, outputs = map(Path, arguments[:3])
    try:
        print(json.dumps(run(model, inputs, outputs, int(arguments[3]) if arguments[3:] else None)))
    except CannotRunError as error:
        return _fails(CANNOT_RUN, f"{model}: TensorFlow Lite Micro cannot run it ({error})")
    except OSError as error:
        return _fails(FAILED, f"{error.filename}: {error.strerror}")
    except ImportError as error:
        return _fails(
            FAILED,
            f"{error}: it comes for Linux on x86-64 alone, and in .venv-micro: `make micro-setup`",
        )
    except ValueError as error:
        return _fails(FAILED, str(error))
    return 0


def run(
    model: Path, inputs: Path, outputs: Path, arena_bytes: int | None
) -> dict[str, int | float]:
    """Runs a model row by row; returns what the line of JSON says.

    Raises:
      CannotRunError: TensorFlow Lite Micro does not run it.
      OSError: a file cannot be read or written.
      ValueError: the model is no `.tflite`, or the inputs are no whole rows.
    """
    content = model.read_bytes()
    if content[4:8] != b"TFL3":
        raise ValueError(f"{model}: expected a .tflite file, whose bytes 4 to 7 are TFL3")
    with _complaints() as read:
        interpreter, arena_bytes = _load(content, arena_bytes, read)
        given, made = interpreter.get_input_details(0), interpreter.get_output_details(0)
        rows = _rows(inputs, given)
        answers = np.empty((len(rows), *made["shape"]), made["dtype"])
        seconds = np.empty(len(rows))
        for number, row in enumerate(rows):
            start = time.perf_counter()
            try:
                interpreter.set_input(row, 0)
                interpreter.invoke()
            except RuntimeError as error:
                raise CannotRunError(read() or error) from error
            answers[number] = interpreter.get_output(0)
            seconds[number] = time.perf_counter() - start
    answers.tofile(outputs)
    median = float(np.median(seconds)) if len(rows) else 0.0
    return {"arena_bytes": arena_bytes, "rows": len(rows), "seconds": median}


def _load(content: bytes, arena_bytes: int | None, read: Callable[[], str]) -> tuple:
    """Returns an interpreter, and the size of its arena."""
    from tflite_micro import runtime

    before, size = "", arena_bytes or _LEAST_ARENA
    while True:
        try:
            return runtime.Interpreter.from_bytes(content, arena_size=size), size
        except RuntimeError as error:
            reason = read() or str(error)
        # How much memory is missing changes with the arena; what is not supported does not.
        if arena_bytes is not None or reason == before or size >= _LARGEST_ARENA:
            raise CannotRunError(reason)
        before, size = reason, 2 * size


def _rows(path: Path, given: dict) -> np.ndarray:
    """Returns the inputs of a file, [N, *shape of the tensor]."""
    dtype, size = np.dtype(given["dtype"]), path.stat().st_size
    row_bytes = int(np.prod(given["shape"])) * dtype.itemsize
    if size % row_bytes:
        raise ValueError(f"{path}: {size} bytes, expected a multiple of the input's {row_bytes}")
    return np.fromfile(path, dtype).reshape(-1, *given["shape"])


@contextlib.contextmanager
def _complaints() -> Iterator[Callable[[], str]]:
    """Keeps what the library writes to standard error, which is the only place where it says why.

    Yields:
      A function that returns what was written since its last call, as one line.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: _taken(file.fileno())
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _taken(descriptor: int) -> str:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    text = os.pread(descriptor, size, 0).decode(errors="replace")
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _fails(status: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
