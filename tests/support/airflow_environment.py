"""Airflow's own environment, for the tests that need it."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

from data.files import PROJECT_ROOT
from tests.e2e.support.harness import environment
from tests.support.machine import lacks

VENV = PROJECT_ROOT / ".venv-airflow"
# As Airflow does with its folder of DAGs.
_IN_DAGS_FOLDER = f"import sys; sys.path.append({str(PROJECT_ROOT / 'pipeline')!r})\n"


def airflow_python() -> Path:
    """Returns its interpreter; without it the test is skipped, or fails if REQUIRE_AIRFLOW=1."""
    python = VENV / "bin" / "python"
    if python.exists():
        return python
    lacks("AIRFLOW", f"{VENV} is not there: make airflow-setup")


def in_airflow(script: str, folder: Path, **variables: str | Path) -> str:
    """Runs a script in Airflow's environment, its files in `folder`; returns what it printed."""
    settings = {
        "AIRFLOW_HOME": folder,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        **variables,
    }
    done = subprocess.run(
        [airflow_python(), "-c", _IN_DAGS_FOLDER + script],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def listening(process: psutil.Process) -> Iterator[str]:
    """Yields the addresses at which a process and all that it started listen."""
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in one.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    yield connection.laddr.ip
