"""scripts/loopback_only.sh: what runs in it has the loopback interface and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from tests.support.machine import has_network_namespaces

SCRIPT = PROJECT_ROOT / "scripts" / "loopback_only.sh"

TALK = """
import psutil, socket
server = socket.create_server(("", 0))
client = socket.create_connection(("127.0.0.1", server.getsockname()[1]))
print(*psutil.net_if_addrs())
"""


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(["/bin/sh", SCRIPT, *command], capture_output=True, text=True, timeout=60)


@pytest.fixture
def namespaces() -> None:
    """Skips the test where they are not allowed."""
    if not has_network_namespaces():
        pytest.skip("this system allows no network namespaces")


@pytest.mark.usefixtures("namespaces")
def test_only_the_loopback_interface_is_there_and_it_works() -> None:
    done = run(sys.executable, "-c", TALK)
    assert (done.returncode, done.stdout.split()) == (0, ["lo"]), done.stderr


@pytest.mark.usefixtures("namespaces")
def test_the_status_is_that_of_the_command() -> None:
    assert run("sh", "-c", "exit 3").returncode == 3


def test_a_missing_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("true")
    assert done.returncode == 2
    assert "error: unshare is missing" in done.stderr and "SHARE_NETWORK=1" in done.stderr
