"""Ends what this process has started, all of it."""

import contextlib
import os
import signal
import sys
from typing import NoReturn

import psutil

_GRACE_S = 20  # for a process to end by itself

_is_interrupted = False  # no Event: a second signal would wait for ever for the first one's lock


def interrupt_on_signals() -> None:
    """Makes the signals that end a program raise KeyboardInterrupt.

    Also where a shell has them ignored, but for SIGHUP: that is what `nohup` is for.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def was_interrupted() -> bool:
    """Says whether one of these signals came: libraries make other errors of KeyboardInterrupt."""
    return _is_interrupted


def _interrupt(*unused: object) -> NoReturn:
    global _is_interrupted
    _is_interrupted = True
    raise KeyboardInterrupt


def exit_with(status: int) -> NoReturn:
    """Ends this process; after an interruption, with all that it has started.

    Python waits for threads, and Beam forgets some of its own where it is interrupted.
    """
    if was_interrupted():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        end_processes([child.pid for child in psutil.Process().children()])
        os._exit(status)
    sys.exit(status)


def end_processes(pids: list[int]) -> None:
    """Ends processes and all that they have started, also in sessions of their own."""
    trees: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            trees += [process, *process.children(recursive=True)]
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in trees:
            with contextlib.suppress(psutil.NoSuchProcess):
                end(process)
        _, trees = psutil.wait_procs(trees, _GRACE_S)
