"""What the machine that the tests run on has to offer."""

import os
import shutil
import socket
import subprocess
from typing import NoReturn

import pytest


def lacks(name: str, missing: str) -> NoReturn:
    """Skips the test for what is missing, or fails it where REQUIRE_`name` is 1."""
    if os.environ.get(f"REQUIRE_{name}") == "1":
        pytest.fail(f"REQUIRE_{name}=1, but {missing}")
    pytest.skip(missing)


def has_network_namespaces() -> bool:
    """Whether this user may have some, as scripts/loopback_only.sh does."""
    tool = shutil.which("unshare")
    return bool(tool) and not subprocess.run([tool, "--map-root-user", "--net", "true"]).returncode


def free_port() -> int:
    """Returns a port on loopback at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
