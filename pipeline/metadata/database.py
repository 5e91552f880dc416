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

from data.errors import ConfigError

PASSWORD_VARIABLE = "MYSQL_PWD"  # the client libraries' own name for it
ACCOUNT_NEEDS = "it needs mysql_native_password, no TLS, and all privileges on the database"
EXPECTED = "mysql://USER@HOST:PORT/DATABASE"
_PORT = 3306
_TIMEOUT_S = 10
_PATIENCE_S = 60
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
    if not match or not 0 < int(match["port"] or _PORT) < 2**16:
        scheme, _, rest = url.partition("://")
        shown = f"{scheme}://..." if ":" in rest or "@" in rest else url
        reason = ""
        if scheme.startswith("postgres"):
            # 1.17.1 and 1.21.0 make wrong SQL of it; the Evaluators' eval_config is such a text.
            reason = "ML Metadata cannot store text with backslashes in PostgreSQL; "
        elif scheme == "sqlite":
            reason = "SQLite is what an empty METADATA gives; "
        raise ConfigError(f"METADATA={shown}: {reason}expected {EXPECTED}")
    # By the name, ML Metadata's client would look for a socket in the file system.
    host = "127.0.0.1" if match["host"] == "localhost" else match["host"]
    server = MetadataServer(match["user"], host, int(match["port"] or _PORT), match["database"])
    if match["password"] is not None:
        raise ConfigError(
            f"METADATA={server.url}: leave the password out and set {PASSWORD_VARIABLE} to it"
        )
    return server


def connect(server: MetadataServer, longest_statement_s: float = 0) -> pymysql.Connection:
    """Opens a connection of our own, which tells apart what ML Metadata's does not.

    Args:
      server: to connect with.
      longest_statement_s: how long a statement may take, beside the way to the server and back.

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
            read_timeout=longest_statement_s + _TIMEOUT_S,
            write_timeout=_TIMEOUT_S,
            autocommit=True,
        )
    except (pymysql.MySQLError, RuntimeError, UnicodeError) as error:
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
        refused = f"the server refuses user {server.user!r} with {given} {PASSWORD_VARIABLE}"
        return f"{refused}; {ACCOUNT_NEEDS}"
    if code in (ER.BAD_DB_ERROR, ER.DBACCESS_DENIED_ERROR):
        return (
            f"there is no database {server.database!r} for user {server.user!r}; "
            "create it and grant all privileges on it"
        )
    return f"{type(error).__name__}: {error}"


def only_run_of(
    server: MetadataServer, pipeline_name: str
) -> contextlib.AbstractContextManager[None]:
    """Holds a lock on the server that it gives up by itself when this process dies.

    Raises:
      ConfigError: as `connect`, or another run of the same pipeline holds the lock.
    """
    refusal = (
        f"PIPELINE_NAME={pipeline_name}: another run of this pipeline is using {server.url}; wait "
        "for its end or give another name"
    )
    # The server may not have noticed yet that the last holder is gone.
    return _lock(server, pipeline_name, wait_s=1, refusal=refusal)


def alone_in_database(server: MetadataServer) -> contextlib.AbstractContextManager[None]:
    """Holds a lock that all have who open the database; waits while another one has it.

    Raises:
      ConfigError: as `connect`, or another one has it for long.
    """
    refusal = f"METADATA={server.url}: another process has been opening it for {_PATIENCE_S} s"
    return _lock(server, "", wait_s=_PATIENCE_S, refusal=refusal)


@contextlib.contextmanager
def _lock(server: MetadataServer, name: str, *, wait_s: float, refusal: str) -> Iterator[None]:
    # Locks are the whole server's, and their names at most 64 characters long.
    digest = hashlib.sha256(f"{server.database}/{name}".encode()).hexdigest()
    with connect(server, wait_s) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION wait_timeout = %s", [_LONGEST_IDLE_S])
        cursor.execute("SELECT GET_LOCK(%s, %s)", [digest, wait_s])
        if cursor.fetchone() != (1,):
            raise ConfigError(refusal)
        yield
