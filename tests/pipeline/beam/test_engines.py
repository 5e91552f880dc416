"""BEAM_RUNNER and BEAM_ARGS: the options they become, and what is refused before any work."""

import contextlib
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.testing.util import assert_that, equal_to

from data.errors import ConfigError
from pipeline.beam import job_server
from pipeline.beam.engines import FLINK_CONFIG, args_for_local_files, beam_args
from pipeline.config import IN_MEMORY
from tests.support.machine import free_port

needs_java = pytest.mark.skipif(not shutil.which("java"), reason="java is not on PATH")


@pytest.fixture
def jar(tmp_path: Path) -> str:
    """A file in the place of a job server; nothing here starts it."""
    path = tmp_path / "job-server.jar"
    path.touch()
    return str(path)


@contextlib.contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Serves `body` under every path; gives HOST:PORT."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("settings", [{}, {"BEAM_RUNNER": ""}, {"BEAM_RUNNER": "in_memory"}])
def test_in_memory_is_the_default(settings: dict[str, str]) -> None:
    assert beam_args(settings) == IN_MEMORY


def test_in_memory_is_one_engine_with_and_without_a_network() -> None:
    """Not DirectRunner, which downloads and runs another one where it can."""
    with beam.Pipeline(argv=list(IN_MEMORY)) as pipeline:
        assert type(pipeline.runner) is fn_runner.FnApiRunner
        workers = pipeline | beam.Create([1]) | beam.Map(lambda _: os.getpid())
        assert_that(workers, equal_to([os.getpid()]))


def test_extra_options_come_last_and_keep_quoted_spaces() -> None:
    extra = """--worker_harness='a b'   --flag"""
    assert beam_args({"BEAM_ARGS": extra}) == (*IN_MEMORY, "--worker_harness=a b", "--flag")


def test_portable_without_an_endpoint_needs_no_socket() -> None:
    options = beam_args({"BEAM_RUNNER": "portable"})
    assert "--job_endpoint=embed" in options
    assert "--environment_type=beam:env:embedded_python:v1" in options


def test_portable_with_an_endpoint_on_this_machine() -> None:
    settings = {"BEAM_RUNNER": "portable", "BEAM_ARGS": "--job_endpoint=localhost:8099"}
    assert beam_args(settings) == (
        "--runner=pipeline.beam.loopback_runners.PortableRunner",
        "--environment_type=LOOPBACK",
        "--beam_plugins=tfx.components",
        "--sdk_container_image=none",
        "--job_endpoint=localhost:8099",
    )


@needs_java
def test_flink_of_its_own(jar: str) -> None:
    options = beam_args(
        {"BEAM_RUNNER": "flink", "BEAM_ARGS": f"--flink_job_server_jar={jar} --parallelism=2"}
    )
    assert options[:3] == (
        "--runner=pipeline.beam.loopback_runners.FlinkRunner",
        "--environment_type=LOOPBACK",
        "--beam_plugins=tfx.components",
    )
    assert f"--flink_conf_dir={FLINK_CONFIG}" in options
    assert options[-1] == "--parallelism=2"
    assert "127.0.0.1" in (FLINK_CONFIG / "config.yaml").read_text()


@needs_java
def test_flink_that_answers(jar: str) -> None:
    with answering(b'{"flink-version": "2.2.0"}') as address:
        extra = f"--flink_job_server_jar={jar} --flink_master={address}"
        assert beam_args({"BEAM_RUNNER": "flink", "BEAM_ARGS": extra})[-1].endswith(address)


@needs_java
@pytest.mark.parametrize("body", [b"<html>", b"[]", json.dumps({"version": "1"}).encode()])
def test_something_else_than_flink_that_answers(jar: str, body: bytes) -> None:
    with answering(body) as address:
        extra = f"--flink_job_server_jar={jar} --flink_master={address}"
        with pytest.raises(ConfigError, match=f"--flink_master={address}: no Flink answers there"):
            beam_args({"BEAM_RUNNER": "flink", "BEAM_ARGS": extra})


@needs_java
def test_flink_that_cannot_be_reached(jar: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    extra = f"--flink_job_server_jar={jar} --flink_master={address}"
    with pytest.raises(ConfigError, match=f"{address}: no Flink answers there .*refused.*start it"):
        beam_args({"BEAM_RUNNER": "flink", "BEAM_ARGS": extra})


@needs_java
@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_missing_job_server(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "no.jar"
    extra = f"--{engine}_job_server_jar={missing}"
    with pytest.raises(ConfigError, match=f"{missing}; `make {engine}-jar` takes it"):
        beam_args({"BEAM_RUNNER": engine, "BEAM_ARGS": extra})
    monkeypatch.setattr(job_server, "jar_path", lambda name: tmp_path / f"default-{name}.jar")
    with pytest.raises(ConfigError, match=f"default-{engine}.jar; `make {engine}-jar`"):
        beam_args({"BEAM_RUNNER": engine})


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_missing_java(
    engine: str, jar: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=f"BEAM_RUNNER={engine}: there is no `java` on PATH"):
        beam_args({"BEAM_RUNNER": engine, "BEAM_ARGS": f"--{engine}_job_server_jar={jar}"})


@needs_java
def test_spark(jar: str) -> None:
    settings = {"BEAM_RUNNER": "spark", "BEAM_ARGS": f"--spark_job_server_jar={jar}"}
    options = beam_args(settings)
    assert options[0] == "--runner=pipeline.beam.loopback_runners.SparkRunner"
    assert f"--spark_job_server_jar={jar}" in options


@needs_java
@pytest.mark.parametrize(
    ("runner", "option"),
    [
        ("portable", "--job_endpoint=engine.example:8099"),
        ("spark", "--spark_master_url=spark://engine.example:7077"),
    ],
)
def test_engine_elsewhere_has_to_be_told_where_python_runs(
    runner: str, option: str, jar: str
) -> None:
    settings = {"BEAM_RUNNER": runner, "BEAM_ARGS": f"{option} --spark_job_server_jar={jar}"}
    with pytest.raises(ConfigError, match=f"{option}: on another machine, .*--environment_type="):
        beam_args(settings)
    settings["BEAM_ARGS"] += " --environment_type=DOCKER --environment_config=image"
    assert beam_args(settings)[-2] == "--environment_type=DOCKER"


DATAFLOW = {
    "project": "mine",
    "region": "europe-west1",
    "temp_location": "gs://bucket/tmp",
    "sdk_container_image": "registry.example/image:1",
}


def joined(options: dict[str, str]) -> str:
    return " ".join(f"--{name}={value}" for name, value in options.items())


def test_dataflow() -> None:
    options = beam_args({"BEAM_RUNNER": "dataflow", "BEAM_ARGS": joined(DATAFLOW)})
    assert options[0] == "--runner=DataflowRunner"
    assert "--beam_plugins=tfx.components" in options
    assert "--region=europe-west1" in options


def test_what_reads_local_files_does_not_go_to_dataflow() -> None:
    options = beam_args({"BEAM_RUNNER": "dataflow", "BEAM_ARGS": joined(DATAFLOW)})
    with beam.Pipeline(argv=[*options, *args_for_local_files(options)]) as pipeline:
        workers = pipeline | beam.Create([1]) | beam.Map(lambda _: os.getpid())
        assert_that(workers, equal_to([os.getpid()]))
    assert args_for_local_files(IN_MEMORY) == ()


@pytest.mark.parametrize("name", DATAFLOW)
def test_dataflow_without_an_option_it_needs(name: str) -> None:
    rest = {other: value for other, value in DATAFLOW.items() if other != name}
    for options in (rest, {**DATAFLOW, name: ""}):
        with pytest.raises(ConfigError, match=f"^BEAM_RUNNER=dataflow needs --{name} in BEAM_ARGS"):
            beam_args({"BEAM_RUNNER": "dataflow", "BEAM_ARGS": joined(options)})


def test_dataflow_with_a_local_temp_location() -> None:
    options = {**DATAFLOW, "temp_location": "/tmp"}
    with pytest.raises(ConfigError, match="--temp_location=/tmp: expected a folder gs://"):
        beam_args({"BEAM_RUNNER": "dataflow", "BEAM_ARGS": joined(options)})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"BEAM_RUNNER": "storm"}, "^BEAM_RUNNER=storm: expected one of in_memory, portable, "),
        ({"BEAM_ARGS": "a"}, "^BEAM_ARGS=a: 'a' is not an option; expected --NAME=VALUE"),
        ({"BEAM_ARGS": "--a b"}, "^BEAM_ARGS=--a b: 'b' is not an option"),
        ({"BEAM_ARGS": "'--a"}, "^BEAM_ARGS='--a: No closing quotation"),
        ({"BEAM_ARGS": "--runner=Flink"}, "^BEAM_ARGS has --runner=Flink: give BEAM_RUNNER"),
    ],
)
def test_wrong_settings(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        beam_args(settings)
