"""Opening ML Metadata in a file and on a server."""

import subprocess
import sys
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from data.errors import ConfigError
from pipeline.metadata.connection import connection_config, open_store
from tests.support import mariadb


def test_a_path_is_an_sqlite_file(tmp_path: Path) -> None:
    path = str(tmp_path / "metadata.db")
    with pytest.raises(ConfigError, match="cannot use it"):
        open_store(path)  # for reading, there has to be one
    store = open_store(path, read_only=False)
    store.put_context_type(metadata_store_pb2.ContextType(name="kept"))
    assert open_store(path).get_context_type("kept").name == "kept"


def test_on_a_server(database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    database_server.execute("CREATE DATABASE tfx_store")
    url = database_server.url("tfx_store")
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    assert database_server.password not in str(connection_config(url))
    # Quotes, backslashes and text beyond Latin 1 are what PostgreSQL's client falls over.
    text = 'it\'s \\ "quoted"\n\u00e9 \U0001f600'
    value = metadata_store_pb2.Value(string_value=text)
    store = open_store(url)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="kept"))
    artifact = metadata_store_pb2.Artifact(type_id=kind, custom_properties={"text": value})
    [identity] = store.put_artifacts([artifact])
    [found] = open_store(url).get_artifacts_by_id([identity])
    assert found.custom_properties["text"].string_value == text


def test_what_the_account_may_not_do_is_said(
    database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    database_server.execute("CREATE DATABASE readable")
    database_server.execute("GRANT SELECT ON readable.* TO trainer")
    url = database_server.url("readable")
    with pytest.raises(ConfigError, match=f"^METADATA={url}: ML Metadata cannot use it: .*denied"):
        open_store(url)


def test_an_account_that_only_other_clients_can_use(
    database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "tls")
    database_server.execute("CREATE USER secure IDENTIFIED BY 'tls' REQUIRE SSL")
    url = f"mysql://secure@127.0.0.1:{database_server.port}/mlmd"
    with pytest.raises(ConfigError, match=f"^METADATA={url}: .*; it needs .* no TLS"):
        open_store(url)


def test_a_database_is_never_made(
    database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    with pytest.raises(ConfigError, match="tfx_misspelt"):
        open_store(database_server.url("tfx_misspelt"))
    assert database_server.execute("SHOW DATABASES LIKE 'tfx_misspelt'") == ()


def test_many_at_once_find_the_database_empty(
    database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    database_server.execute("CREATE DATABASE tfx_crowded")
    code = (
        "import sys\n"
        "from pipeline.metadata.connection import open_store\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        f"assert open_store({database_server.url('tfx_crowded')!r}).get_artifacts() == []\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors


def test_tables_that_nobody_completes(
    database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    database_server.execute("CREATE DATABASE tfx_half")
    url = database_server.url("tfx_half")
    open_store(url)
    database_server.execute("DROP TABLE tfx_half.MLMDEnv")
    with pytest.raises(ConfigError, match="subset of tables.*; drop a database that has only some"):
        open_store(url)
