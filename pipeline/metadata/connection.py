"""Opens ML Metadata, wherever it is: an SQLite file, or a database on a server."""

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from data.errors import ConfigError
from pipeline.metadata import database

_SERVER_HINT = (
    f"; {database.ACCOUNT_NEEDS}; drop a database that has only some of its tables, and "
    "create it again"
)
_Sqlite = metadata_store_pb2.SqliteMetadataSourceConfig


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
    server = database.parse(location)
    config.mysql.host = server.host
    config.mysql.port = server.port
    config.mysql.user = server.user
    config.mysql.database = server.database
    config.mysql.skip_db_creation = True  # a misspelt name shall not make a new one
    return config


def open_store(location: str, *, read_only: bool = True) -> mlmd.MetadataStore:
    """Opens the store; makes its tables in a database that is empty.

    Raises:
      ConfigError: ML Metadata cannot connect, or not make its tables.
    """
    config = connection_config(location, read_only=read_only)
    if config.HasField("sqlite"):
        return _opened(location, config, hint="")
    # Two that make the tables of a database at once disturb each other.
    with database.alone_in_database(database.parse(location)):
        return _opened(location, config, _SERVER_HINT)


def _opened(
    location: str, config: metadata_store_pb2.ConnectionConfig, hint: str
) -> mlmd.MetadataStore:
    try:
        return mlmd.MetadataStore(config)
    except RuntimeError as error:
        raise ConfigError(
            f"METADATA={location}: ML Metadata cannot use it: {error}{hint}"
        ) from error
