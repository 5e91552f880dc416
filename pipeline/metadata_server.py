"""A MySQL or MariaDB server that holds ML Metadata for several pipelines.

The password never becomes part of a setting, of the compiled pipeline or of a message: both clients
take it from the environment, ML Metadata's own by itself.
"""

import contextlib
import dataclasses
import hashlib
import os
import re
from collections.abc import Iterator

import pymysql
from pymysql.constants import CR, ER

from pipeline.errors import ConfigError

PASSWORD_VARIABLE = "MYSQL_PWD"  # the client libraries' own name for it
EXPECTED = "mysql://USER@HOST:PORT/DATABASE"
_TIMEOUT_S = 10
_LONGEST_IDLE_S = 31_536_000  # the most that the server allows: a year
# ML Metadata writes the database's name into its statements without quotes.
_URL = re.compile(
    r"mysql://(?P<user>[^:/@?#\s]+)(?P<password>:.*)?@(?P<host>[^:/@?#\s]+)"
    r"(:(?P<port>\d{1,5}))?/(?P<database>\w+)"
)


@dataclasses.dataclass(frozen=True)
class MetadataServer:
    """Where the server is, and whom to be there; no password."""

    user: str
    host: str
    port: int
    database: str

    @property
    def url(self) -> str:
        """The same as a URL."""
        return f"mysql://{self.user}@{self.host}:{self.port}/{self.database}"


def parse(url: str) -> MetadataServer:
    """Reads `mysql://USER@HOST:PORT/DATABASE`; the port may be left out.

    Raises:
      ConfigError: the text is something else, or holds a password, which the message does not show.
    """
    match = _URL.fullmatch(url)
    if not match:
        scheme, _, rest = url.partition("://")
        shown = f"{scheme}://..." if ":" in rest or "@" in rest else url
        reason = ""
        if scheme.startswith("postgres"):
            # 1.17.1 and 1.21.0 make wrong SQL of it; the Evaluators' eval_config is such a text.
            reason = "ML Metadata cannot store text with backslashes in PostgreSQL; "
        elif scheme == "sqlite":
            reason = "SQLite is what an empty METADATA gives; "
        raise ConfigError(f"METADATA={shown}: {reason}expected {EXPECTED}")
    server = MetadataServer(
        match["user"], match["host"], int(match["port"] or 3306), match["database"]
    )
    if match["password"] is not None:
        raise ConfigError(
            f"METADATA={server.url}: leave the password out and set {PASSWORD_VARIABLE} to it"
        )
    return server


def connect(server: MetadataServer) -> pymysql.Connection:
    """Opens a connection of our own, which tells apart what ML Metadata's does not.

    Raises:
      ConfigError: the server cannot be reached, refuses the account or has no such database.
    """
    try:
        return pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=os.environ.get(PASSWORD_VARIABLE, ""),
            database=server.database,
            connect_timeout=_TIMEOUT_S,
            read_timeout=_TIMEOUT_S,
            write_timeout=_TIMEOUT_S,
            autocommit=True,
        )
    except (pymysql.MySQLError, RuntimeError) as error:
        raise ConfigError(f"METADATA={server.url}: {_reason(server, error)}") from error


def _reason(server: MetadataServer, error: Exception) -> str:
    """Returns what is wrong and what to do about it."""
    code = error.args[0] if error.args else None
    if code in (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_LOST):
        cause = error.__cause__ or getattr(error, "original_exception", None) or "no answer"
        return (
            f"no MySQL or MariaDB server answers at {server.host}, port {server.port} ({cause}); "
            "start it, or leave METADATA empty for SQLite"
        )
    if code == ER.ACCESS_DENIED_ERROR:
        given = "the password in" if os.environ.get(PASSWORD_VARIABLE) else "no password in"
        return f"the server refuses user {server.user!r} with {given} {PASSWORD_VARIABLE}"
    if code in (ER.BAD_DB_ERROR, ER.DBACCESS_DENIED_ERROR):
        return (
            f"there is no database {server.database!r} for user {server.user!r}; "
            "create it and grant all privileges on it"
        )
    return f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def only_run_of(server: MetadataServer, pipeline_name: str) -> Iterator[None]:
    """Holds a lock on the server that it gives up by itself when this process dies.

    Raises:
      ConfigError: as `connect`, or another run of the same pipeline holds the lock.
    """
    # Locks are the whole server's, and their names at most 64 characters long.
    digest = hashlib.sha256(f"{server.database}/{pipeline_name}".encode()).hexdigest()
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION wait_timeout = %s", [_LONGEST_IDLE_S])
        cursor.execute("SELECT GET_LOCK(%s, 0)", [digest])
        if cursor.fetchone() != (1,):
            raise ConfigError(
                f"PIPELINE_NAME={pipeline_name}: another run of this pipeline is using {server.url}"
                "; wait for its end or give another name"
            )
        yield
