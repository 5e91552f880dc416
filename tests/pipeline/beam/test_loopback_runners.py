"""Beam's runners with Python workers that listen on the loopback interface alone."""

import collections
import contextlib
import ipaddress
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import apache_beam as beam
import grpc
import psutil
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import (
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_runner_api_pb2,
)
from apache_beam.runners.runner import create_runner

from pipeline.beam import loopback_runners

LOOPBACK = "--environment_type=LOOPBACK"
RUNNERS = [
    f"pipeline.beam.loopback_runners.{name}Runner" for name in ("Portable", "Flink", "Spark")
]


def listening() -> set[tuple[str, int]]:
    """Returns the addresses and ports that this process listens on."""
    sockets = psutil.Process().net_connections(kind="tcp")
    return {tuple(each.laddr) for each in sockets if each.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize("name", RUNNERS)
def test_workers_listen_on_the_loopback_interface_until_they_are_stopped(name: str) -> None:
    before, runner = listening(), create_runner(name)
    options = PipelineOptions([LOOPBACK])
    proto = beam_runner_api_pb2.Pipeline()
    loopback, docker = "beam:env:embedded_python_loopback:v1", common_urns.environments.DOCKER.urn
    proto.components.environments["python"].urn = loopback
    proto.components.environments["java"].urn = docker
    stops = runner.start_and_replace_loopback_environments(proto, options)
    new = listening() - before
    hosts = {ipaddress.ip_address(host.removeprefix("::ffff:")) for host, _ in new}
    assert new and all(host.is_loopback for host in hosts)

    environments = proto.components.environments
    assert environments["java"].urn == docker
    assert environments["python"].urn == common_urns.environments.EXTERNAL.urn
    payload = beam_runner_api_pb2.ExternalPayload.FromString(environments["python"].payload)
    host, port = payload.endpoint.url.split(":")
    assert host == "127.0.0.1" and int(port) in {port for _, port in new}

    assert len(stops) == 1
    stops[0]().wait()
    assert not listening() & new


def test_a_pipeline_runs_in_such_workers(tmp_path: Path) -> None:
    """The job service is Beam's own, in this process; it asks for workers as another would."""

    def write(total: int) -> None:
        (tmp_path / "total").write_text(str(total))

    arguments = [f"--runner={RUNNERS[0]}", "--job_endpoint=embed", LOOPBACK]
    with beam.Pipeline(argv=arguments) as pipeline:
        _ = (
            pipeline
            | beam.Create(range(100))
            | beam.Reshuffle()
            | beam.CombineGlobally(sum)
            | beam.Map(write)
        )
    assert (tmp_path / "total").read_text() == "4950"


class Control(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    """What a worker connects to: an engine that asks for nothing until it is done."""

    def __init__(self) -> None:
        self.connected, self.hung_up, self.done = (threading.Event() for _ in range(3))

    def Control(  # noqa: N802 - Beam's name
        self, requests: Iterator[object], context: grpc.ServicerContext
    ) -> Iterator[None]:
        threading.Thread(target=self._listen, args=(requests,), daemon=True).start()
        self.connected.set()
        self.done.wait()
        yield from ()

    def _listen(self, answers: Iterator[object]) -> None:
        with contextlib.suppress(Exception):  # what gRPC raises when the call is over
            collections.deque(answers, maxlen=0)
        self.hung_up.set()


@contextlib.contextmanager
def engine() -> Iterator[tuple[Control, str]]:
    """Gives a running engine and its address."""
    control, server = Control(), grpc.server(futures.ThreadPoolExecutor())
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(control, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield control, f"127.0.0.1:{port}"
    control.done.set()
    server.stop(1).wait()


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "run_worker_1-1"]


def test_a_worker_ends_with_its_engine_and_not_with_another_of_its_name() -> None:
    proto = beam_runner_api_pb2.Pipeline()
    proto.components.environments["a"].urn = "beam:env:embedded_python_loopback:v1"
    runner = create_runner(RUNNERS[1])
    [stop] = runner.start_and_replace_loopback_environments(proto, PipelineOptions([LOOPBACK]))
    payload = proto.components.environments["a"].payload
    pool = beam_runner_api_pb2.ExternalPayload.FromString(payload).endpoint.url
    with grpc.insecure_channel(pool) as channel, engine() as one, engine() as other:
        stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
        for control, address in (one, other):
            request = beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1")
            request.control_endpoint.url = address
            assert stub.StartWorker(request).error == ""
            assert control.connected.wait(30)
        stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"))
        assert not one[0].hung_up.wait(1) and not other[0].hung_up.wait(1)
    for worker in workers():
        worker.join(30)
    assert not workers()
    stop().wait()


def test_components_share_one_job_server_for_flink() -> None:
    runner = loopback_runners.FlinkRunner()
    arguments = ["--flink_job_server_jar=a.jar", "--flink_master=localhost:1"]
    first, again, other = (
        create_runner(RUNNERS[1]).default_job_server(PipelineOptions(options))
        for options in (arguments, arguments, [*arguments, "--parallelism=2"])
    )
    assert first is again and first is not other
    assert runner.default_job_server(PipelineOptions(arguments)) is first
