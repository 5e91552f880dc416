"""A MariaDB server of the tests' own, on a free port of the loopback interface."""

import contextlib
import dataclasses
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql

from tests.support.machine import free_port, lacks

PATIENCE_S = 300


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server with one user, who may use all databases whose names begin with `tfx`."""

    port: int
    socket: Path
    password: str
    user: str = "trainer"

    def url(self, database: str) -> str:
        return f"mysql://{self.user}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> tuple[tuple[object, ...], ...]:
        """Runs a statement as the server's administrator."""
        administrator = {"unix_socket": str(self.socket), "user": "root", "autocommit": True}
        with pymysql.connect(**administrator) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Starts it; without the program the test is skipped, or fails if REQUIRE_DATABASE=1."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    programs = [shutil.which(name, path=path) for name in ("mariadb-install-db", "mariadbd")]
    if None in programs:
        lacks("DATABASE", "there is no MariaDB server (Debian: apt install mariadb-server)")
    install, serve = programs
    with tempfile.TemporaryDirectory(prefix="mariadb-") as name:
        folder = Path(name)
        common = ["--no-defaults", f"--datadir={folder / 'data'}"]
        if os.geteuid() == 0:
            shutil.chown(folder, "mysql")
            common.append("--user=mysql")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        no_password = "--auth-root-authentication-method=normal"  # but only this machine's users
        subprocess.run([install, *common, no_password, "--skip-test-db"], check=True, **quiet)
        port = free_port()
        server = Server(port, folder / "socket", secrets.token_hex(12))
        process = subprocess.Popen(
            [
                serve,
                *common,
                "--bind-address=127.0.0.1",
                f"--port={port}",
                f"--socket={server.socket}",
            ],
            **quiet,
        )
        try:
            _wait(server, process)
            server.execute(f"CREATE USER {server.user} IDENTIFIED BY '{server.password}'")
            server.execute(f"GRANT ALL ON `tfx%`.* TO {server.user}")
            yield server
        finally:
            process.terminate()
            process.wait()


def _wait(server: Server, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.execute("SELECT 1")
        except pymysql.OperationalError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return
