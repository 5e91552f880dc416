"""What the user sees of a run: one line a component; all that libraries say goes to a log file."""

import contextlib
import logging
import os
import select
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from absl import logging as absl_logging

from pipeline.running.processes import was_interrupted


@contextlib.contextmanager
def library_output_to(log_file: Path) -> Iterator[None]:
    """Sends what libraries log, and what C++ code and subprocesses print, to `log_file`.

    `sys.stdout` and `sys.stderr` keep writing to the terminal: file descriptors 1 and 2, which
    everything else inherits, point to the file meanwhile. To be entered before TensorFlow is
    imported. An exception on its way out leaves its traceback in the file.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    terminal = sys.stdout, sys.stderr
    root = logging.getLogger()
    old_handlers, old_level = root.handlers[:], root.level
    with open(log_file, "a") as log:
        handler = logging.StreamHandler(log)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        logging.captureWarnings(True)
        # TFX and Beam's runners log through absl, which has a handler and a level of its own.
        absl_logging.use_python_logging(quiet=True)
        absl_logging.set_verbosity(absl_logging.INFO)
        old_excepthook, threading.excepthook = threading.excepthook, _log_thread_exception
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sys.stdout, sys.stderr = (
            # A terminal may lack some of our letters.
            os.fdopen(os.dup(copy), "w", 1, stream.encoding, "backslashreplace")
            for copy, stream in zip(saved, terminal, strict=True)
        )
        try:
            yield
        except Exception:
            logging.exception("the run failed")
            raise
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):  # nobody may be reading any more
                    stream.close()
            sys.stdout, sys.stderr = terminal
            for descriptor, copy in enumerate(saved, start=1):
                os.dup2(copy, descriptor)
                os.close(copy)
            threading.excepthook = old_excepthook
            logging.captureWarnings(False)
            root.handlers[:] = old_handlers
            root.setLevel(old_level)


def _log_thread_exception(failure: threading.ExceptHookArgs) -> None:
    """Logs what ended a thread, as those of Beam when an engine that is done hangs up."""
    logging.error("a thread failed", exc_info=failure.exc_value)


def let_go_of_closed_pipes() -> bool:
    """Sends to nowhere what would go to a pipe that nobody reads; says whether there was one."""
    poll, found = select.poll(), False
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    for descriptor, event in poll.poll(0):
        if event & select.POLLERR:
            found = True
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
    return found


class _LineBreaker:
    """A stream that ends an unfinished line of ours before somebody else's text.

    It is none of Python's own streams: those flush themselves when they go, and it may outlive the
    one that it writes to, where somebody has kept it.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self.line_is_open = False

    def write(self, text: str) -> int:
        if self.line_is_open and text:
            self._stream.write("\n")
            self.line_is_open = False
        return self._stream.write(text)

    def open_line(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
        self.line_is_open = True

    def close_line(self, text: str) -> bool:
        """Ends the open line with `text`; returns False when it is no longer open."""
        was_open, self.line_is_open = self.line_is_open, False
        if was_open:
            self._stream.write(text + "\n")
        return was_open

    def __getattr__(self, name: str) -> Any:
        """Returns whatever else a stream has, such as `flush`, `isatty` and `encoding`."""
        return getattr(self._stream, name)


class Progress:
    """Prints each component's name when it starts, and what became of it when it ends."""

    def __init__(self, number_of_components: int):
        self._total = number_of_components
        self._started = 0
        self._running: str | None = None

    def __enter__(self) -> "Progress":
        self._stdout, self._stderr = sys.stdout, sys.stderr
        # Both streams share the terminal, so either may have to end the line.
        self._line = _LineBreaker(self._stdout)
        sys.stdout = sys.stderr = self._line
        return self

    def __exit__(self, kind: type[BaseException] | None, *unused: object) -> None:
        if self._running:
            is_stopped = kind is KeyboardInterrupt or was_interrupted()
            self.end("stopped" if is_stopped else "failed")
        sys.stdout, sys.stderr = self._stdout, self._stderr

    def start(self, component: str) -> None:
        """Tells that a component starts.

        Raises:
          KeyboardInterrupt: the run was interrupted, and a library has kept that to itself.
        """
        if was_interrupted():
            raise KeyboardInterrupt
        self._started += 1
        self._running = f"[{self._started:>2}/{self._total}] {component:<22} "
        self._line.open_line(self._running)

    def end(self, outcome: str) -> None:
        """Tells what became of the component that started last: its seconds, or a word."""
        if not self._line.close_line(f"{outcome:>8}"):
            self._line.write(f"{self._running}{outcome:>8}\n")
        self._running = None
