"""`make web` itself: it serves until it is interrupted, and tells in a line what is wrong."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from data.files import PROJECT_ROOT
from tests.support.machine import environment, free_port

COMMAND = [sys.executable, "-m", "apps.web"]


def run(**settings: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND, cwd=PROJECT_ROOT, env=environment(**settings), capture_output=True, text=True
    )


def test_it_serves_until_it_is_interrupted(output: Path, dist: Path) -> None:
    """And says what of, where the files are for a web host, and where to look."""
    port = free_port()
    process = subprocess.Popen(
        COMMAND,
        cwd=PROJECT_ROOT,
        env=environment(OUTPUT=output, WEB_PORT=str(port)),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    said = [process.stdout.readline().rstrip() for _ in range(4)]
    assert said == [
        f"digits: float32, float16, dynamic_range, int8, int8_io of {output / 'device' / '7'}",
        f"to be taught: {output / 'personal' / 'new'}",
        f"the page, to be put on any web host: {output / 'web'}",
        f"http://127.0.0.1:{port}/ (Ctrl-C ends it)",
    ]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert b"What do the models see?" in answer.read()
    assert run(OUTPUT=output, WEB_PORT=str(port)).stderr.startswith(
        f"error: WEB_PORT={port}: cannot listen there (Address already in use); give another"
    )
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "ended\n"
    assert process.returncode == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_wrong_settings_are_told_in_a_line(tmp_path: Path) -> None:
    done = run(OUTPUT=tmp_path, WEB_PORT="http")
    assert (done.returncode, done.stderr) == (
        2,
        "error: WEB_PORT=http: expected a whole number from 1 to 65535\n",
    )
    done = run(OUTPUT=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/device: there are no pushed models, which")
    assert done.stderr.count("\n") == 1
