"""Keeps two runs apart that would disturb each other, and each OUTPUT with its store."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from pipeline import metadata_server
from pipeline.config import PipelineConfig
from pipeline.errors import ConfigError

STORE_FILE = ".metadata"


@contextlib.contextmanager
def only_run(config: PipelineConfig) -> Iterator[None]:
    """Holds OUTPUT and, on a server, the pipeline's name, until the block or the process ends.

    Raises:
      ConfigError: another run holds one of them, the server does not let us in, or what is in
        OUTPUT is recorded in another store.
    """
    with contextlib.ExitStack() as held:
        held.enter_context(_only_run_in(config.output))
        if config.metadata:
            server = metadata_server.parse(config.metadata)
            held.enter_context(metadata_server.only_run_of(server, config.pipeline_name))
        _keep_to_one_store(config)
        yield


@contextlib.contextmanager
def _only_run_in(output: Path) -> Iterator[None]:
    with open(output / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"OUTPUT={output}: another run is using it; wait for its end or give another folder"
            ) from error
        yield


def _keep_to_one_store(config: PipelineConfig) -> None:
    """Raises ConfigError when the artifacts in OUTPUT are recorded in another store.

    Their folders have the numbers of the store's executions: those of two stores would be mixed.
    """
    file = config.output / STORE_FILE
    if config.pipeline_root.exists():
        recorded = file.read_text().strip() if file.exists() else ""
        if recorded != config.metadata:
            raise ConfigError(
                f"METADATA={config.metadata}: what is in OUTPUT={config.output} is recorded in "
                f"{recorded or config.metadata_file}; use that, or another OUTPUT"
            )
    file.write_text(config.metadata + "\n")
