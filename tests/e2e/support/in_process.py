"""Commands of the project in this process: a new one would load TFX anew."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

from data.files import PROJECT_ROOT
from pipeline import local_runner
from tests.e2e.support.harness import Run, environment_of_run, finished_run

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def as_started(
    variables: Mapping[str, str],
    terminal: Path,
    argv: Sequence[str] = ("command",),
    folder: Path = PROJECT_ROOT,
) -> Iterator[None]:
    """Gives this process what a new one would be started with, and takes it back afterwards.

    Args:
      variables: all of its environment.
      terminal: a file for what it and its children print.
      argv: its name and arguments.
      folder: where it runs.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    signals = {number: signal.getsignal(number) for number in _SIGNALS}
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        mock.patch.object(sys, "argv", list(argv)),
        mock.patch.object(sys, "path", sys.path[:]),
        mock.patch.object(tempfile, "tempdir", None),  # what TMPDIR was before
        contextlib.chdir(folder),
        warnings.catch_warnings(),
        _shown_in(terminal),
    ):
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
            for number, handler in signals.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _shown_in(terminal: Path) -> Iterator[None]:
    """Makes a file of standard output and error, also of what writes to the descriptors."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with (
        open(terminal, "a", buffering=1) as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
        try:
            yield
        finally:
            for descriptor, copy in enumerate(saved, start=1):
                os.dup2(copy, descriptor)
                os.close(copy)


def called(
    main: Callable[[], int], variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Calls a command's `main` as in a process with this environment; returns how that ended."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Path(folder, "terminal")
        with as_started(variables, terminal):
            status = main()
        return subprocess.CompletedProcess(main.__name__, status, terminal.read_text())


def run_here(**settings: str | Path) -> Run:
    """Runs the pipeline of this project to its end, as `run_pipeline` does in a new process."""
    done = called(local_runner.main, environment_of_run(**settings))
    return finished_run(PROJECT_ROOT, Path(settings["OUTPUT"]), done.returncode, done.stdout)
