"""Processes end, however they are started and whatever they think of it."""

import subprocess
import sys

import psutil
import pytest

from pipeline import processes
from tests.machine import is_alive

# A child in a session of its own, as Airflow's tasks are, that does not end when asked to.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) < 2:
    subprocess.Popen([sys.executable, "-c", sys.argv[0], "child"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


def test_processes_end_with_all_that_they_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.5)
    script = STUBBORN.replace("sys.argv[0]", repr(STUBBORN))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert [parent.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
        started = psutil.Process(parent.pid)
        tree = [started, *started.children()]
        assert len(tree) == 2
        processes.end_processes([parent.pid])
    assert [one for one in tree if is_alive(one)] == []
