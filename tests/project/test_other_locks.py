"""The locks of the environments beside .venv: hashed, from no fixed place, and their own."""

import re

import pytest
from packaging.requirements import Requirement

from data.files import PROJECT_ROOT

REQUIREMENTS = PROJECT_ROOT / "requirements"
WANTED = {
    "airflow": ["apache-airflow"],
    "tools": ["ai-edge-quantizer"],
    "micro": ["ethos-u-vela", "tflite-micro"],
    "serve": ["mlserver", "tensorflow", "fsspec", "gcsfs", "s3fs"],
}
ENTRIES = {"airflow": 101, "tools": 15, "micro": 6, "serve": 90}  # at least

every_lock = pytest.mark.parametrize("lock", WANTED)


def _text(lock: str) -> str:
    return (REQUIREMENTS / f"{lock}.txt").read_text()


def _entries(lock: str) -> dict[str, str]:
    """The text of each entry of a lock, by its first line."""
    parts = re.split(r"^(?=[a-zA-Z0-9])", _text(lock), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].rstrip(" \\"): part for part in parts}


@every_lock
def test_what_is_asked_for_is_locked(lock: str) -> None:
    lines = (REQUIREMENTS / f"{lock}.in").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    locked = [Requirement(line) for line in _entries(lock)]
    for requirement in wanted:
        [found] = [one for one in locked if one.name == requirement.name]
        (specifier,) = found.specifier
        assert specifier.operator == "==" and specifier.version in requirement.specifier
    assert [requirement.name for requirement in wanted] == WANTED[lock]


@every_lock
def test_every_entry_is_pinned_and_hashed(lock: str) -> None:
    assert len(_entries(lock)) >= ENTRIES[lock]
    for line, text in _entries(lock).items():
        assert re.match(r"[\w.\[\],-]+==\S+", line), line
        assert re.search(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$", text, re.MULTILINE), line


@every_lock
def test_no_index_and_no_address(lock: str) -> None:
    assert not re.search(r"://|^\s*-(?!-hash=)|@", _text(lock), re.MULTILINE)


@every_lock
def test_it_holds_nothing_of_the_pipeline(lock: str) -> None:
    names = {re.split(r"[=\[ ]", line)[0] for line in _entries(lock)}
    models = {"tensorflow"} if lock == "serve" else set()  # which it runs
    assert names & {"tfx", "tensorflow", "jax", "apache-beam", "ml-metadata"} == models


def test_the_server_s_packages_are_the_pipeline_s_where_both_have_them() -> None:
    """Above all TensorFlow, whose models it loads, and what reads object stores."""
    pins = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)
    ours: dict[str, set[str]] = {}
    for name, version in pins.findall(_text("lock")):
        ours.setdefault(name, set()).add(version)
    serve = dict(pins.findall(_text("serve")))
    assert {"tensorflow", "numpy", "protobuf", "grpcio", "fsspec", "s3fs", "gcsfs"} <= serve.keys()
    assert {name for name in serve.keys() & ours.keys() if serve[name] not in ours[name]} == set()


def test_the_tools_run_models_as_the_pipeline_does() -> None:
    [pin] = re.findall(r"^ai-edge-litert==(\S+)", _text("lock"), flags=re.MULTILINE)
    assert f"ai-edge-litert=={pin}" in _entries("tools")
