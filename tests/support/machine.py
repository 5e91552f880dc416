"""What the machine that the tests run on has to offer, and what processes of theirs are given."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from pipeline.settings import COMMAND_SETTINGS, SETTINGS


def lacks(name: str, missing: str) -> NoReturn:
    """Skips the test for what is missing, or fails it where REQUIRE_`name` is 1."""
    if os.environ.get(f"REQUIRE_{name}") == "1":
        pytest.fail(f"REQUIRE_{name}=1, but {missing}")
    pytest.skip(missing)


def heed_hangups() -> None:
    """Undoes what `nohup` did for the tests, in a process that they start; its `preexec_fn`."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def has_network_namespaces() -> bool:
    """Whether this user may have some, as scripts/loopback_only.sh does."""
    tool = shutil.which("unshare")
    return bool(tool) and not subprocess.run([tool, "--map-root-user", "--net", "true"]).returncode


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """Returns a port on loopback at which nothing listens.

    It is below those that systems give to connections, so that none takes it meanwhile.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(**settings: str | Path) -> dict[str, str]:
    """Returns this process's environment with these settings of a run, and no others."""
    # What stood on the command line of `make test` would win over the environment of a make in it.
    ours = (*SETTINGS, *COMMAND_SETTINGS, "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, **{name: str(value) for name, value in settings.items()}}
