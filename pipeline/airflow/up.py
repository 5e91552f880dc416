"""Airflow's scheduler and web server, on loopback, until Ctrl-C: `make airflow-up`."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from data.errors import FAILED, ConfigError
from data.texts import number
from pipeline.airflow.home import LOOPBACK, AirflowHome
from pipeline.beam import direct_http
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.processes import end_processes, interrupt_on_signals
from pipeline.settings import config_from_environment

_DEFAULT_PORT = 8080


@tells_wrong_settings
def main() -> int:
    """Serves as the environment says; returns 0 when it was ended, FAILED when a server did."""
    try:
        port = _free_port(os.environ)
        airflow = AirflowHome(config_from_environment(os.environ), port)
        airflow.make_user()
        return _serve(airflow, port)
    except KeyboardInterrupt:
        print("ended")
        return 0


def _free_port(environment: Mapping[str, str]) -> int:
    """Returns AIRFLOW_PORT, or raises ConfigError when nobody could listen there."""
    port = number(environment, "AIRFLOW_PORT", int, _DEFAULT_PORT, 1, 65_535)
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ConfigError(
                f"AIRFLOW_PORT={port}: cannot listen there ({error}); give another port"
            ) from error
    return port


def _serve(airflow: AirflowHome, port: int) -> int:
    """Starts both servers and stays until one of them ends."""
    commands = {
        # Without the flag it would serve the tasks' logs on all addresses; the web server reads
        # them from the disk.
        "scheduler": airflow.command("scheduler", "--skip-serve-logs"),
        "webserver": airflow.command("webserver", "--hostname", LOOPBACK, "--port", str(port)),
    }
    servers: dict[str, subprocess.Popen] = {}
    try:
        for name, command in commands.items():
            with open(_log_file(airflow, name), "a") as log:
                servers[name] = subprocess.Popen(
                    command,
                    env=airflow.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for us, who end them in order
                )
        if _answers(f"http://{LOOPBACK}:{port}/health", servers):
            print(
                f"Airflow: http://{LOOPBACK}:{port}, user admin, password in "
                f"{airflow.password_file}\nDAG: {airflow.graph.pipeline}; logs in "
                f"{airflow.folder}; Ctrl-C ends it",
                flush=True,
            )
        while all(server.poll() is None for server in servers.values()):
            time.sleep(1)
        ended = next(name for name, server in servers.items() if server.poll() is not None)
        print(f"error: the {ended} ended; details: {_log_file(airflow, ended)}", file=sys.stderr)
        return FAILED
    finally:
        end_processes([server.pid for server in servers.values()])


def _log_file(airflow: AirflowHome, server: str) -> Path:
    return airflow.folder / f"{server}.log"


def _answers(address: str, servers: Mapping[str, subprocess.Popen]) -> bool:
    """Waits until the web server answers; returns False when a server has ended instead."""
    while all(server.poll() is None for server in servers.values()):
        with contextlib.suppress(OSError), direct_http.urlopen(address, timeout=10):
            return True
        time.sleep(0.5)
    return False


if __name__ == "__main__":
    interrupt_on_signals()
    sys.exit(main())
