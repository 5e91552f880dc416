"""What is around Airflow's servers: the port before, the processes after."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from pipeline import airflow_up
from pipeline.local_runner import WRONG_SETTING

# A child in a session of its own, as Airflow's tasks are, that does not end when asked to.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) < 2:
    subprocess.Popen([sys.executable, "-c", sys.argv[0], "child"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("port", ["http", "70000", "-1"])
def test_a_port_that_is_none_is_named(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_PORT", port)
    assert airflow_up.main() == WRONG_SETTING
    assert f"AIRFLOW_PORT={port}" in capsys.readouterr().err


def test_a_port_in_use_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((airflow_up.LOOPBACK, 0)) as server:
        port = str(server.getsockname()[1])
        monkeypatch.setenv("AIRFLOW_PORT", port)
        assert airflow_up.main() == WRONG_SETTING
    assert f"AIRFLOW_PORT={port}" in capsys.readouterr().err


def test_processes_end_with_all_that_they_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow_up, "_GRACE_S", 0.5)
    script = STUBBORN.replace("sys.argv[0]", repr(STUBBORN))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert [parent.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
        started = psutil.Process(parent.pid)
        tree = [started, *started.children()]
        assert len(tree) == 2
        airflow_up.end_processes([parent.pid])
    alive = [one for one in tree if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert alive == []
