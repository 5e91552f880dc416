"""mlserver's servers around our registry, and the watcher beside them."""

import asyncio
import logging
import signal

from mlserver.settings import Settings

from serve.server.inference import LeasedDataPlane
from serve.server.protocols.grpc import LimitedGRPCServer
from serve.server.protocols.rest import LimitedMetricsServer, LimitedRESTServer
from serve.server.registry import Registry
from serve.server.settings import ServerSettings
from serve.server.watcher import Watcher

_log = logging.getLogger(__name__)


class ModelServer:
    """Serves from `start` until a signal, or `stop`.

    It takes the place of mlserver's own MLServer, which would load models by itself, let clients
    load them, and run workers. Inference is in threads: TensorFlow's calls need no Python.
    """

    def __init__(self, settings: ServerSettings):
        self._settings = settings
        theirs = _mlserver_settings(settings)
        registry = Registry(settings.name, settings.folder)
        data_plane = LeasedDataPlane(theirs, registry)
        self._rest = LimitedRESTServer(theirs, data_plane, registry)
        self._grpc = LimitedGRPCServer(theirs, data_plane)
        self._metrics = LimitedMetricsServer(theirs)
        self._watcher = Watcher(settings, registry)

    async def serve(self) -> None:
        """Serves until SIGINT or SIGTERM, and answers what is here by then."""
        loop = asyncio.get_running_loop()
        end = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end.set)
        servers = (self._rest, self._grpc, self._metrics)
        tasks = [asyncio.create_task(server.start()) for server in servers]
        watching = asyncio.create_task(self._watcher.run())
        ended = asyncio.create_task(end.wait())
        _log.info("%s", _told(self._settings))
        try:
            # Any that ends by itself is an error, which is raised here.
            done, _ = await asyncio.wait(
                [*tasks, watching, ended], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            watching.cancel()
            ended.cancel()
            await asyncio.gather(*(server.stop() for server in servers))
            await asyncio.gather(*tasks)


def _told(settings: ServerSettings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return (
        f"serving {settings.name} from {settings.folder}: REST at http://{host}:{settings.port}, "
        f"gRPC at {host}:{settings.grpc_port}, metrics at "
        f"http://{host}:{settings.metrics_port}/metrics"
    )


def _mlserver_settings(settings: ServerSettings) -> Settings:
    """Returns mlserver's settings, none of which is left to its environment or files."""
    return Settings(
        _env_file=None,
        debug=False,
        parallel_workers=0,
        load_models_at_startup=False,
        server_name=settings.name,
        host=settings.host,
        http_port=settings.port,
        grpc_port=settings.grpc_port,
        metrics_port=settings.metrics_port,
        metrics_endpoint="/metrics",
        kafka_enabled=False,
        cache_enabled=False,
        gzip_enabled=False,
        cors_settings=None,
        tracing_server=None,
        logging_settings=None,
    )
