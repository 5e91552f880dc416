"""`scripts/flink.sh cluster` starts three programs and leaves none behind."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from data.files import PROJECT_ROOT

SCRIPT = PROJECT_ROOT / "scripts" / "flink.sh"


def test_all_that_was_started_ends_with_the_script(tmp_path: Path) -> None:
    java = tmp_path / "java"  # stands in for Flink, which is not everywhere
    java.write_text(f"#!/bin/sh\necho $$ $* >> {tmp_path}/started\nexec sleep 600\n")
    java.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    script = subprocess.Popen(
        ["sh", SCRIPT, "cluster"], env={**os.environ, "PATH": path, "CLASSPATH": "flink.jar"}
    )
    started, deadline = tmp_path / "started", time.monotonic() + 30
    while not started.exists() or len(started.read_text().splitlines()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lines = started.read_text().splitlines()
    assert sum("TaskManagerRunner" in line for line in lines) == 2
    assert sum("StandaloneSessionClusterEntrypoint" in line for line in lines) == 1
    script.send_signal(signal.SIGTERM)
    assert script.wait(30) == 0
    assert not [line for line in lines if psutil.pid_exists(int(line.split()[0]))]
