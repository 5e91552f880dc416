"""Beam's portable runners, with their Python workers on the loopback interface only.

In Beam's environment LOOPBACK, the Python code of a pipeline runs in the process that submits it,
and the engine asks a gRPC server there for workers. Beam lets that server listen on all addresses,
and anyone who reaches it can run code.
"""

import functools
import logging
from collections.abc import Callable
from typing import ClassVar

import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    WorkerOptions,
)
from apache_beam.portability import python_urns
from apache_beam.portability.api import (
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_runner_api_pb2,
)
from apache_beam.runners.portability import (
    flink_runner,
    job_server,
    portable_runner,
    spark_runner,
)
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.transforms.environments import ExternalEnvironment
from apache_beam.utils import thread_pool_executor

_HOST = "127.0.0.1"

# At the end of the process it warns that it ends job servers, which is what it is for.
logging.getLogger("apache_beam.utils.subprocess_server").setLevel(logging.ERROR)


class _Workers(BeamFnExternalWorkerPoolServicer):
    """Starts workers as threads; each ends when the engine closes its connection."""

    def StopWorker(  # noqa: N802 - Beam's name
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Leaves the worker alone: each of Flink's task managers has one that is called 1-1.

        Beam's own would stop the one of that name that came last.
        """
        return beam_fn_api_pb2.StopWorkerResponse()


class _LoopbackWorkers:
    """What a portable runner does for the environment LOOPBACK."""

    @staticmethod
    def start_and_replace_loopback_environments(
        pipeline: beam_runner_api_pb2.Pipeline, options: PipelineOptions
    ) -> list[Callable[[], object]]:
        """Starts workers for the pipeline's environments; returns what stops them."""
        stops = []
        for environment in pipeline.components.environments.values():
            if environment.urn != python_urns.EMBEDDED_PYTHON_LOOPBACK:
                continue
            server = grpc.server(thread_pool_executor.shared_unbounded_instance())
            port = server.add_insecure_port(f"{_HOST}:0")
            cache_mb = options.view_as(WorkerOptions).max_cache_memory_usage_mb
            beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(
                _Workers(state_cache_size=cache_mb << 20), server
            )
            server.start()
            external = ExternalEnvironment(f"{_HOST}:{port}").to_runner_api(None)
            environment.urn, environment.payload = external.urn, external.payload
            stops.append(functools.partial(server.stop, 1))
        return stops


class PortableRunner(_LoopbackWorkers, portable_runner.PortableRunner):
    """Submits to a job service that runs already."""


class FlinkRunner(_LoopbackWorkers, flink_runner.FlinkRunner):
    """Starts Beam's job server for Flink, once for all components, and submits to it."""

    _servers: ClassVar[dict[str, job_server.JobServer]] = {}

    def default_job_server(self, options: PipelineOptions) -> job_server.JobServer:
        """Returns a server for these options; Beam's own runner for Spark keeps it likewise."""
        key = f"{options.view_as(FlinkRunnerOptions)} {options.view_as(JobServerOptions)}"
        if key not in self._servers:
            self._servers[key] = super().default_job_server(options)
        return self._servers[key]


class SparkRunner(_LoopbackWorkers, spark_runner.SparkRunner):
    """Starts Beam's job server for Spark and submits to it."""
