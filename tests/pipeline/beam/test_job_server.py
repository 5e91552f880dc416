"""Taking Beam's job servers by Maven."""

import importlib.metadata
from pathlib import Path

import pytest

from data.errors import ConfigError
from pipeline.beam import job_server
from pipeline.running import take_job_server


def test_version_is_that_of_beam(tmp_path: Path) -> None:
    version = importlib.metadata.version("apache-beam")
    assert job_server.coordinates("flink") == (
        f"org.apache.beam:beam-runners-flink-2.2-job-server:{version}"
    )
    name = job_server.jar_path("spark", tmp_path).name
    assert name == f"beam-runners-spark-3-job-server-{version}.jar"


def test_flink_is_one_that_beam_knows() -> None:
    from apache_beam.options.pipeline_options import FlinkRunnerOptions

    newest = FlinkRunnerOptions.PUBLISHED_FLINK_VERSIONS[-1]
    assert job_server.ARTIFACTS["flink"] == f"beam-runners-flink-{newest}-job-server"


def test_names_of_what_is_made_are_known() -> None:
    """Whoever has one keeps it."""
    names = {engine: job_server.made_path(engine).name for engine in job_server.ARTIFACTS}
    assert names == {
        "flink": "flink-1.19-job-server-2.62.0.jar",
        "spark": "spark-3.5-job-server-2.62.0.jar",
    }


def fake_maven(folder: Path, script: str) -> str:
    """Puts a program named mvn into `folder`; returns a PATH on which it is the first."""
    program = folder / "mvn"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_what_maven_copies_is_kept_and_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = job_server.jar_path("flink", tmp_path / "jars")
    unfinished = jar.parent / "unfinished-flink"
    unfinished.mkdir(parents=True)
    (unfinished / jar.name).write_text("of a Maven that was killed")
    script = f"mkdir {unfinished}; echo $* > {unfinished}/{jar.name}"
    monkeypatch.setenv("PATH", fake_maven(tmp_path, script))
    assert job_server.fetch("flink", jar.parent) == jar
    asked = jar.read_text()
    assert "dependency:copy" in asked and job_server.coordinates("flink") in asked
    monkeypatch.setenv("PATH", "")
    assert job_server.fetch("flink", jar.parent) == jar


def test_made_of_libraries_where_the_ready_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    jar = job_server.made_path("flink", tmp_path / "jars")
    unfinished = jar.parent / "unfinished-flink"
    missing = "case $* in *dependency:copy*) echo '[ERROR] no such file'; exit 1;; esac"
    script = f"{missing}; mkdir -p {unfinished}; echo $* > {unfinished}/{jar.name}"
    monkeypatch.setenv("PATH", fake_maven(tmp_path, script))
    assert job_server.jar_path("flink", jar.parent) != jar
    assert job_server.fetch("flink", jar.parent) == jar == job_server.jar_path("flink", jar.parent)
    assert {f"--file={job_server.POM}", "-Pflink"} <= {*jar.read_text().split()}
    assert capsys.readouterr().err == (
        f"Maven cannot get {job_server.coordinates('flink')}: making {jar.name} ...\n"
    )
    assert [path.name for path in jar.parent.iterdir()] == [jar.name]


@pytest.mark.parametrize("engine", job_server.ARTIFACTS)
def test_failure_of_maven_is_told(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    script = "echo '[INFO] so far'; echo '[ERROR] no such file'; echo '[ERROR] more'; exit 1"
    monkeypatch.setenv("PATH", fake_maven(tmp_path, script))
    monkeypatch.setattr(job_server.fetch, "__defaults__", (tmp_path / "jars",))
    assert take_job_server.main([engine]) == 2
    error = capsys.readouterr().err
    made = job_server.made_path(engine).name
    assert error == (
        f"Maven cannot get {job_server.coordinates(engine)}: making {made} ...\n"
        f"error: Maven cannot make {made} of Beam's libraries: no such file\n"
    )
    assert not job_server.jar_path(engine, tmp_path / "jars").exists()


def test_missing_maven_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no Maven .* put the file into"):
        job_server.fetch("flink", tmp_path)


@pytest.mark.parametrize("arguments", [[], ["storm"], ["flink", "storm"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    assert take_job_server.main(arguments) == 2
    assert "usage: " in capsys.readouterr().err
