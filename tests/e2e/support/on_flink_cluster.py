"""Runs a command beside a Flink with two workers, which `make flink-cluster` starts.

python -m tests.e2e.support.on_flink_cluster COMMAND... in a network namespace of its own.
Ends with the command's status, or 99 when the cluster had no jobs or did not finish them all.
"""

import contextlib
import json
import subprocess
import sys
import time
from typing import Any

from pipeline.beam import direct_http

ADDRESS = "127.0.0.1:8081"
_WORKERS = 2
_PATIENCE_S = 600
UNFINISHED = 99


def _ask(what: str) -> list[dict[str, Any]]:
    with direct_http.urlopen(f"http://{ADDRESS}/{what}", timeout=10) as answer:
        return json.load(answer)[what.split("/")[0]]


def _wait_for_workers() -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if len(_ask("taskmanagers")) == _WORKERS:
                return
        time.sleep(0.5)
    raise SystemExit(f"no {_WORKERS} workers after {_PATIENCE_S} s")


def main(command: list[str]) -> int:
    """Runs the command while the cluster is up."""
    script = ("sh", "scripts/flink.sh", "cluster")
    with subprocess.Popen(script, stdout=subprocess.DEVNULL) as cluster:
        try:
            _wait_for_workers()
            status = subprocess.run(command).returncode
            jobs = _ask("jobs/overview")
        finally:
            cluster.terminate()
    print(f"{len(jobs)} jobs on the cluster")
    return status if jobs and all(job["state"] == "FINISHED" for job in jobs) else UNFINISHED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
