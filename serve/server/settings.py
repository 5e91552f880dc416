"""The server's settings, from the environment: needs no package but the standard library's."""

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import ConfigError, shown
from data.files import default_output
from data.finding.names import name_of
from data.task import parse_image_size
from data.texts import check_texts, number
from pipeline.storage import stores

READ = (
    *("DATASET", "IMAGE_SIZE", "OUTPUT", "PUSH_TO"),
    *("SERVE_HOST", "SERVE_PORT", "GRPC_PORT", "METRICS_PORT", "MAX_BATCH", "MAX_BATCH_MS"),
)
# What DATASET=auto becomes: the first that has been run.
_AUTO = ("mnist", "digits")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_LAST_PORT = 65_535
_LARGEST_BATCH, _LONGEST_WAIT_MS = 128, 1000


@dataclass(frozen=True)
class ServerSettings:
    """What to serve, where, and how.

    Attributes:
      name: of the model, which is the data set's.
      folder: with the versions, `serving/`; an absolute path or a URI.
      host: the address to listen at.
      port: of REST.
      grpc_port: of gRPC.
      metrics_port: where Prometheus reads.
      max_batch: images of several requests that go through the model together; 1 for none.
      max_batch_ms: how long to wait for more of them; 0 takes those that came while the model was
        at work.
    """

    name: str
    folder: str
    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int = 8081
    metrics_port: int = 8082
    max_batch: int = 32
    max_batch_ms: float = 0.0

    @property
    def is_on_loopback(self) -> bool:
        """Whether nobody but this machine reaches it."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def from_environment(environment: Mapping[str, str]) -> ServerSettings:
    """Reads the settings; unset, or empty, means the default.

    Raises:
      ConfigError: one is wrong, or there is nothing that could be served.
    """
    check_texts(environment, READ)
    default = ServerSettings("", "")
    host = environment.get("SERVE_HOST") or default.host
    if not _HOST.fullmatch(host):
        raise ConfigError(f"SERVE_HOST={shown(host)}: expected a name or an address, as 127.0.0.1")
    ports = {
        name: number(environment, name, int, port, 1, _LAST_PORT)
        for name, port in (
            ("SERVE_PORT", default.port),
            ("GRPC_PORT", default.grpc_port),
            ("METRICS_PORT", default.metrics_port),
        )
    }
    max_batch = number(environment, "MAX_BATCH", int, default.max_batch, 1, _LARGEST_BATCH)
    wait = number(environment, "MAX_BATCH_MS", float, default.max_batch_ms, 0, _LONGEST_WAIT_MS)
    name, folder = _model(environment)
    for setting, port in ports.items():
        _check_free(setting, host, port)
        if list(ports.values()).count(port) > 1:
            raise ConfigError(f"{setting}={port}: {', '.join(ports)} have to be three ports")
    return ServerSettings(name, folder, host, *ports.values(), max_batch, wait)


def _model(environment: Mapping[str, str]) -> tuple[str, str]:
    """Returns the name of the model and the folder with its versions."""
    given = environment.get("DATASET") or "auto"
    output = environment.get("OUTPUT") or ""
    push_to = environment.get("PUSH_TO") or ""
    if stores.is_uri(output):
        raise ConfigError(f"OUTPUT={shown(output)}: expected a folder of this machine")
    if given == "auto":
        name = _of_last_run(output) if output else ""
        name = name or next(
            (name for name in _AUTO if not output and (default_output(name) / "serving").exists()),
            _AUTO[0],
        )
    else:
        name = _name_of(given, environment.get("IMAGE_SIZE") or "")
    if stores.is_uri(push_to):
        try:
            stores.check_form(push_to)
        except stores.StoreError as error:
            raise ConfigError(f"PUSH_TO={error}") from error
        return name, f"{push_to.rstrip('/')}/serving"
    setting, path = ("PUSH_TO", push_to) if push_to else ("OUTPUT", output)
    try:
        above = Path(path).expanduser().absolute() if path else default_output(name)
        is_there = above.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"{setting}={shown(path)}: cannot be accessed ({error})") from error
    if not is_there:
        what = f"{setting}={shown(path)}" if path else f"DATASET={shown(given)}"
        raise ConfigError(
            f"{what}: there is no folder {above}; `make run` with the same settings makes it and "
            "pushes a model there"
        )
    return name, str(above / "serving")


def _of_last_run(output: str) -> str:
    """Returns the name of the data set that the last run in OUTPUT was about; "" if unknown."""
    try:
        report = Path(output).expanduser() / "report" / "comparison.json"
        name = json.loads(report.read_text())["dataset"]["name"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def _name_of(given: str, image_size: str) -> str:
    """Returns the name that the pipeline gives to the data set that DATASET names."""
    if stores.is_uri(given):
        name = given.rstrip("/").rpartition("/")[2].partition(".")[0]
    else:
        path = Path(given)
        name = name_of(path) if len(path.parts) > 1 or path.exists() else given
    if not image_size:
        return name
    try:
        height, width = parse_image_size(image_size)
    except ValueError as error:
        raise ConfigError(f"IMAGE_SIZE={shown(image_size)}: {error}") from error
    return f"{name}-{height}x{width}"


def _check_free(setting: str, host: str, port: int) -> None:
    """Raises ConfigError when nobody could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"{setting}={port}: cannot listen there on SERVE_HOST={host} "
            f"({getattr(error, 'strerror', None) or error}); give another port or address"
        ) from error
