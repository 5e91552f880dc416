"""Runs the model server; see docs/serving.md."""

import asyncio
import contextlib
import logging
import os
import resource
import sys
from collections.abc import Iterator

from data.errors import WRONG_SETTING, ConfigError
from serve.server.settings import ServerSettings, from_environment


def main() -> int:
    """Serves as the environment says until it is told to end; returns the exit status."""
    try:
        settings = from_environment(os.environ)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTING
    _prepare(settings)
    # Here, since they read the environment, and take their seconds.
    with _silent():
        import uvloop

        from serve.server.server import ModelServer

    async def serve() -> None:
        await ModelServer(settings).serve()

    with (
        contextlib.suppress(KeyboardInterrupt),  # before the server heeds it
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(serve())
    return 0


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Drops what TensorFlow's C++ code prints as it is loaded, before its levels are in force."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _prepare(settings: ServerSettings) -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for name in ("uvicorn.error", "mlserver", "absl", "tensorflow"):  # who note every wrong request
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or it tells of CPUs and GPUs
    for name in [name for name in os.environ if name.startswith("MLSERVER_")]:
        del os.environ[name]
    # Connections are limited by number; more of them must not keep us from opening files.
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if not settings.is_on_loopback:
        logging.warning(
            "SERVE_HOST=%s: whoever reaches this address can ask; there is no encryption and no "
            "password, see docs/serving.md",
            settings.host,
        )


if __name__ == "__main__":
    sys.exit(main())
