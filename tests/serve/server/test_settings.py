"""What is served, where, and what is wrong with settings: no server is started."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from data import files
from data.errors import WRONG_SETTING, ConfigError
from data.files import PROJECT_ROOT
from serve.server import settings
from serve.server.settings import from_environment
from tests.support.machine import environment, free_port


@pytest.fixture(autouse=True)
def free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults may be taken on the machine of the tests."""
    monkeypatch.setattr(settings, "_check_free", lambda *setting: None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose output/ is empty."""
    monkeypatch.setattr(files, "OUTPUTS", tmp_path / "output")
    (tmp_path / "output").mkdir()
    return tmp_path


def test_defaults_are_of_the_data_set_that_was_run(project: Path) -> None:
    (project / "output" / "digits" / "serving").mkdir(parents=True)
    found = from_environment({})
    assert (found.name, found.folder) == ("digits", str(project / "output" / "digits" / "serving"))
    assert (found.host, found.port, found.grpc_port) == ("127.0.0.1", 8080, 8081)
    assert found.is_on_loopback and found.max_batch > 1 and found.max_batch_ms == 0
    (project / "output" / "mnist" / "serving").mkdir(parents=True)
    assert from_environment({}).name == "mnist"
    assert from_environment({"DATASET": "digits"}).name == "digits"


def test_the_name_is_that_of_the_last_run_in_output(tmp_path: Path) -> None:
    assert from_environment({"OUTPUT": str(tmp_path)}).name == "mnist"
    (tmp_path / "report").mkdir()
    report = tmp_path / "report" / "comparison.json"
    report.write_text(json.dumps({"dataset": {"name": "cats"}}))
    assert from_environment({"OUTPUT": str(tmp_path)}).name == "cats"
    report.write_text("{")
    assert from_environment({"OUTPUT": str(tmp_path)}).name == "mnist"


@pytest.mark.parametrize(
    ("dataset", "size", "name"),
    [
        ("emnist-letters", "", "emnist-letters"),
        ("s3://bucket/cats.npz", "", "cats"),
        ("/data/cats", "", "cats"),
        ("/data/cats/images", "", "cats-images"),
        ("/data/cats", "48x64", "cats-48x64"),
    ],
)
def test_the_name_is_the_data_set_s(dataset: str, size: str, name: str) -> None:
    given = {"DATASET": dataset, "IMAGE_SIZE": size, "PUSH_TO": "s3://bucket/models/"}
    found = from_environment(given)
    assert (found.name, found.folder) == (name, "s3://bucket/models/serving")


def test_push_to_wins_over_output(tmp_path: Path) -> None:
    (tmp_path / "pushed").mkdir()
    given = {"OUTPUT": str(tmp_path), "PUSH_TO": str(tmp_path / "pushed")}
    assert from_environment(given).folder == str(tmp_path / "pushed" / "serving")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SERVE_HOST", "a b", "expected a name or an address"),
        ("SERVE_PORT", "http", "expected a whole number from 1 to 65535"),
        ("GRPC_PORT", "70000", "expected a whole number"),
        ("METRICS_PORT", "0", "expected a whole number"),
        ("METRICS_PORT", "8080", "have to be three ports"),
        ("MAX_BATCH", "0", "expected a whole number from 1 to 128"),
        ("MAX_BATCH_MS", "-1", "expected a number from 0 to 1000"),
        ("OUTPUT", "s3://bucket/x", "expected a folder of this machine"),
        ("OUTPUT", "/nowhere/at/all", "`make run` with the same settings makes it"),
        ("PUSH_TO", "ftp://host/x", "there is no ftp:// here"),
        ("PUSH_TO", "/nowhere/at/all", "there is no folder /nowhere/at/all"),
        ("DATASET", "mnits", "there is no folder"),
        ("IMAGE_SIZE", "big", "expected"),
        ("DATASET", "a\nb", "without control characters"),
    ],
)
def test_what_is_wrong_is_named(
    project: Path, tmp_path: Path, name: str, value: str, words: str
) -> None:
    (project / "output" / "mnist").mkdir()
    dataset = {"DATASET": "mnist"} if name == "IMAGE_SIZE" else {}
    with pytest.raises(ConfigError) as raised:
        if name == "METRICS_PORT" and value == "8080":
            from_environment({"SERVE_PORT": "8080", name: value})
        else:
            from_environment(dataset | {name: value})
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_only_loopback_is_loopback(tmp_path: Path) -> None:
    for host, is_loopback in {
        "127.0.0.1": True,
        "localhost": True,
        "::1": True,
        "0.0.0.0": False,
        "::": False,
        "10.0.0.1": False,
    }.items():
        given = {"OUTPUT": str(tmp_path), "SERVE_HOST": host}
        assert from_environment(given).is_on_loopback == is_loopback


def test_a_port_in_use_is_told_in_a_line_without_any_of_the_server_s_packages(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = {"OUTPUT": tmp_path, "GRPC_PORT": str(port)}
        given |= {name: str(free_port()) for name in ("SERVE_PORT", "METRICS_PORT")}
        done = subprocess.run(
            [sys.executable, "-m", "serve.server"],
            cwd=PROJECT_ROOT,
            env=environment(**given),
            capture_output=True,
            text=True,
        )
    assert done.returncode == WRONG_SETTING
    assert done.stderr.startswith(f"error: GRPC_PORT={port}: cannot listen there on SERVE_HOST=127")
    assert done.stderr.count("\n") == 1
