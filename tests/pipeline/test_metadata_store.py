"""Opening ML Metadata in a file and on a server."""

from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.errors import ConfigError
from pipeline.metadata_store import connection_config, open_store
from tests import mariadb


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


def test_a_database_is_never_made(
    database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    with pytest.raises(ConfigError, match="tfx_misspelt"):
        open_store(database_server.url("tfx_misspelt"))
    assert database_server.execute("SHOW DATABASES LIKE 'tfx_misspelt'") == ()
