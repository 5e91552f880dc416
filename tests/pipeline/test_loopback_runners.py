"""Beam's runners with Python workers that listen on the loopback interface alone."""

import ipaddress
from pathlib import Path

import apache_beam as beam
import psutil
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.runner import create_runner

from pipeline import loopback_runners

LOOPBACK = "--environment_type=LOOPBACK"
RUNNERS = [f"pipeline.loopback_runners.{name}Runner" for name in ("Portable", "Flink", "Spark")]


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


def test_components_share_one_job_server_for_flink() -> None:
    runner = loopback_runners.FlinkRunner()
    arguments = ["--flink_job_server_jar=a.jar", "--flink_master=localhost:1"]
    first, again, other = (
        create_runner(RUNNERS[1]).default_job_server(PipelineOptions(options))
        for options in (arguments, arguments, [*arguments, "--parallelism=2"])
    )
    assert first is again and first is not other
    assert runner.default_job_server(PipelineOptions(arguments)) is first
