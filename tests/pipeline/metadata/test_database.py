"""The URL of a database server, and what is wrong with one, without the password."""

import os
import socket
import subprocess
import sys
import time

import pytest

from data.errors import ConfigError
from pipeline.metadata import database
from pipeline.metadata.database import MetadataServer, connect, only_run_of, parse
from tests.support import mariadb

DATABASE = "tfx_unit"


@pytest.fixture
def server(database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch) -> MetadataServer:
    database_server.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    return parse(database_server.url(DATABASE))


def test_url_is_read_and_written() -> None:
    server = parse("mysql://me@db.example.org:3307/mlmd_1")
    assert server == MetadataServer("me", "db.example.org", 3307, "mlmd_1")
    assert server.url == "mysql://me@db.example.org:3307/mlmd_1"
    assert parse("mysql://me@db/mlmd").url == "mysql://me@db:3306/mlmd"
    assert parse("mysql://me@localhost/mlmd").host == "127.0.0.1"  # always by TCP


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:pass@word@db/mlmd",
        "mysql://me:pass@word@db:3306/mlmd",
        "mysql://me:pass/@word@db",
        "mysql://me:pass@word@db/ml-md",
        "mysql://db:pass@word",
        "postgresql://me:pass@word@db/mlmd",
    ],
)
def test_a_password_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(url)
    assert "pass" not in str(error.value).replace("password", "")
    assert "word@" not in str(error.value)
    assert str(error.value).startswith(f"METADATA={url.split('://')[0]}://")


def test_password_in_a_good_url_says_where_it_belongs() -> None:
    with pytest.raises(ConfigError, match="^METADATA=mysql://me@db:3306/x: leave .* set MYSQL_PWD"):
        parse("mysql://me:@db/x")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://db/mlmd", "expected mysql://USER@HOST:PORT/DATABASE"),
        ("mysql://me@db", "expected mysql://USER@HOST:PORT/DATABASE"),
        ("mysql://me@db/a b", "expected mysql://USER@HOST:PORT/DATABASE"),
        ("mysql://me@db/a;drop", "expected mysql://USER@HOST:PORT/DATABASE"),
        ("mysql://me@db:x/mlmd", "expected mysql://USER@HOST:PORT/DATABASE"),
        ("postgresql://me@db/mlmd", "backslashes in PostgreSQL"),
        ("sqlite:///file", "an empty METADATA"),
        ("nonsense", "METADATA=nonsense: expected mysql://"),
    ],
)
def test_other_urls_are_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(url)


def test_nobody_listens() -> None:
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigError, match=f"server answers at 127.0.0.1, port {port} .*refused"
        ):
            connect(MetadataServer("me", "127.0.0.1", port, "mlmd"))


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ConfigError, match=f"server answers at 127.0.0.1, port {port} "):
            connect(MetadataServer("me", "127.0.0.1", port, "mlmd"))


def test_wrong_password_is_not_shown(
    server: MetadataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "wr0ng")
    with pytest.raises(ConfigError, match="refuses user 'trainer' with the password in") as error:
        connect(server)
    assert server.url in str(error.value) and "wr0ng" not in str(error.value)
    monkeypatch.delenv("MYSQL_PWD")
    with pytest.raises(ConfigError, match="refuses user 'trainer' with no password in MYSQL_PWD"):
        connect(server)


@pytest.mark.parametrize("database", ["tfx_missing", "not_ours"])
def test_missing_and_forbidden_databases_are_named(server: MetadataServer, database: str) -> None:
    other = MetadataServer(server.user, server.host, server.port, database)
    with pytest.raises(ConfigError, match=f"no database '{database}' for user 'trainer'; create"):
        connect(other)


def test_one_run_of_a_name_at_a_time(server: MetadataServer) -> None:
    with only_run_of(server, "digits"):
        with (
            pytest.raises(ConfigError, match="PIPELINE_NAME=digits: another run .* another name"),
            only_run_of(server, "digits"),
        ):
            pass
        with only_run_of(server, "mnist"):
            pass
    with only_run_of(server, "digits"):
        pass


def test_a_killed_process_gives_its_lock_up(server: MetadataServer) -> None:
    code = (
        "import os, signal\n"
        "from pipeline.metadata.database import only_run_of, parse\n"
        f"with only_run_of(parse({server.url!r}), 'digits'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], env=os.environ)
    assert process.returncode == -9
    with only_run_of(server, "digits"):
        pass


def test_a_lock_is_held_for_longer_than_the_server_keeps_idle_connections(
    server: MetadataServer, database_server: mariadb.Server
) -> None:
    [(_, usual)] = database_server.execute("SHOW GLOBAL VARIABLES LIKE 'wait_timeout'")
    database_server.execute("SET GLOBAL wait_timeout = 3")
    try:
        with only_run_of(server, "digits"):
            time.sleep(4)
            with pytest.raises(ConfigError, match="another run"), only_run_of(server, "digits"):
                pass
    finally:
        database_server.execute(f"SET GLOBAL wait_timeout = {usual}")


def test_skips_or_fails_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb.shutil, "which", lambda *_, **__: None)
    monkeypatch.delenv("REQUIRE_DATABASE", raising=False)
    with (
        pytest.raises(pytest.skip.Exception, match="apt install mariadb-server"),
        mariadb.running(),
    ):
        pass
    monkeypatch.setenv("REQUIRE_DATABASE", "1")
    with pytest.raises(pytest.fail.Exception, match="REQUIRE_DATABASE=1"), mariadb.running():
        pass
