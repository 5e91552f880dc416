"""Keeps two runs apart that would disturb each other, and each OUTPUT with its store."""

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from data.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.metadata import database
from pipeline.storage import stores

LOCK_FILE = ".lock"
STORE_FILE = ".metadata"
IDENTITY_FILE = ".identity"


@contextlib.contextmanager
def only_run(config: PipelineConfig) -> Iterator[None]:
    """Holds OUTPUT and, on a server, the pipeline's name, until the block or the process ends.

    Raises:
      ConfigError: another run holds one of them, the server does not let us in, what is in OUTPUT
        is recorded in another store, or OUTPUT cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_only_run_in(config.output))
            if config.metadata:
                server = database.parse(config.metadata)
                held.enter_context(database.only_run_of(server, config.pipeline_name))
            keep_to_one_store(config)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error
            raise ConfigError(f"OUTPUT={config.output}: cannot write there ({reason})") from error
        yield


@contextlib.contextmanager
def _only_run_in(output: Path) -> Iterator[None]:
    with open(output / LOCK_FILE, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"OUTPUT={output}: another run is using it; wait for its end or give another folder"
            ) from error
        yield


def keep_to_one_store(config: PipelineConfig) -> None:
    """Raises ConfigError when the artifacts are recorded in another store.

    Their folders have the numbers of the store's executions: those of two stores would be mixed.
    """
    if config.root:
        _keep_root_to_one_store(config)
        return
    file = config.output / STORE_FILE
    if Path(config.pipeline_root).exists():
        recorded = file.read_text().strip() if file.exists() else ""
        if recorded != config.metadata:
            raise ConfigError(
                f"METADATA={config.metadata}: what is in OUTPUT={config.output} is recorded in "
                f"{recorded or config.metadata_file}; use that, or another OUTPUT"
            )
    stores.write_text(str(file), config.metadata + "\n")


def _keep_root_to_one_store(config: PipelineConfig) -> None:
    """The same for a folder of artifacts outside of OUTPUT, which somebody else may use."""
    store = config.metadata or f"{config.metadata_file} {_identity(config.output)}"
    mark = f"{config.root}/{STORE_FILE}"
    recorded = stores.read_text(mark)
    if recorded is None:
        stores.write_text(mark, store)
    elif recorded != store:
        raise ConfigError(
            f"PIPELINE_ROOT={config.root}: the artifacts there are recorded in {recorded}; use "
            "that, or another PIPELINE_ROOT"
        )


def _identity(output: Path) -> str:
    """Returns what tells OUTPUT's SQLite file from one of the same path, elsewhere or earlier."""
    file = output / IDENTITY_FILE
    if not file.exists():
        stores.write_text(str(file), uuid.uuid4().hex)
    return file.read_text()
