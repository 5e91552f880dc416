"""Ends what this process has started, all of it."""

import contextlib
import signal
from typing import NoReturn

import psutil

_GRACE_S = 20  # for a process to end by itself


def interrupt_on(*numbers: signal.Signals) -> None:
    """Makes these signals raise KeyboardInterrupt, also where a shell has them ignored."""
    for number in numbers:
        signal.signal(number, _interrupt)


def _interrupt(*unused: object) -> NoReturn:
    raise KeyboardInterrupt


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
