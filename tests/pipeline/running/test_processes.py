"""Processes end, however they are started and whatever they think of it."""

import subprocess
import sys

import psutil
import pytest

from data.files import PROJECT_ROOT
from pipeline.running import processes
from tests.support.machine import heed_hangups, is_alive

# A child in a session of its own, as Airflow's tasks are, that does not end when asked to.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) < 2:
    subprocess.Popen([sys.executable, "-c", sys.argv[0], "child"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


# What Beam makes of an interruption in a worker, and what a destructor does: keep it, or rename it.
SWALLOWING = """
import contextlib, os, signal, sys
from pipeline.running import console, exit_status, processes
@exit_status.tells_wrong_settings
def main():
    processes.interrupt_on_signals()
    with console.Progress(2) as progress:
        progress.start("One")
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        progress.end("0.1 s")
        progress.start("Two")
        print("not reached")
    return 0
sys.exit(main())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_a_library_keeps_to_itself_ends_the_run_all_the_same(name: str) -> None:
    # As a shell starts what is in its background.
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", SWALLOWING, name]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, capture_output=True, text=True, preexec_fn=heed_hangups
    )
    assert done.returncode == 1
    assert "not reached" not in done.stdout and done.stderr == "interrupted\n"


# What Beam leaves where it is interrupted: threads that nobody ends, and processes.
FORGETTING = """
import os, signal, subprocess, threading, time
from pipeline.running import processes
processes.interrupt_on_signals()
threading.Thread(target=time.sleep, args=(600,)).start()
print(subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL).pid)
try:
    os.kill(os.getpid(), signal.SIGTERM)
except KeyboardInterrupt:
    processes.exit_with(3)
"""


def test_an_interrupted_process_waits_for_nothing_that_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORGETTING], cwd=PROJECT_ROOT, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "")
    assert not psutil.pid_exists(int(done.stdout))


def test_under_nohup_the_end_of_the_terminal_is_none() -> None:
    command = ["nohup", sys.executable, "-c", SWALLOWING, "SIGHUP"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "not reached" in done.stdout


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
