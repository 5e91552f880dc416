"""Opens ML Metadata, wherever it is: an SQLite file, or a database on a server."""

import random
import time

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from pipeline import metadata_server
from pipeline.errors import ConfigError

_Sqlite = metadata_store_pb2.SqliteMetadataSourceConfig
_TRIES = 10  # as many as TFX makes


def connection_config(
    location: str, *, read_only: bool = False
) -> metadata_store_pb2.ConnectionConfig:
    """Returns what TFX and ML Metadata connect with; it holds no password.

    Args:
      location: path of an SQLite file, or a URL as `metadata_server.parse` takes.
      read_only: for SQLite, so that the file need not be writable.
    """
    config = metadata_store_pb2.ConnectionConfig()
    if "://" not in location:
        config.sqlite.filename_uri = location
        config.sqlite.connection_mode = (
            _Sqlite.READONLY if read_only else _Sqlite.READWRITE_OPENCREATE
        )
        return config
    server = metadata_server.parse(location)
    config.mysql.host = server.host
    config.mysql.port = server.port
    config.mysql.user = server.user
    config.mysql.database = server.database
    config.mysql.skip_db_creation = True  # a misspelt name shall not make a new one
    return config


def open_store(location: str, *, read_only: bool = True) -> mlmd.MetadataStore:
    """Opens the store; makes its tables in a database that is empty.

    On a server others may be making them just then, which ML Metadata takes for an error. Trying
    again, as TFX does, is safe.

    Raises:
      ConfigError: ML Metadata cannot connect, or not make its tables.
    """
    config = connection_config(location, read_only=read_only)
    tries_left = _TRIES if config.HasField("mysql") else 1
    while True:
        tries_left -= 1
        try:
            return mlmd.MetadataStore(config)
        except RuntimeError as error:
            if not tries_left:
                raise ConfigError(_message(location, error)) from error
        time.sleep(random.random())


def _message(location: str, error: RuntimeError) -> str:
    message = f"METADATA={location}: ML Metadata cannot use it: {error}"
    if "://" not in location:
        return message
    return (
        f"{message}; it needs mysql_native_password, no TLS, and all privileges on the database; "
        "drop a database that has only some of its tables, and create it again"
    )
