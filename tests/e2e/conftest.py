"""The runs that several tests look at."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.support.harness import Run, copy_project, run_pipeline
from tests.e2e.support.watched import mute_proxy, poison, strace_command


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@dataclasses.dataclass(frozen=True)
class Watched:
    """Where a run was, and what it left beside its output."""

    trace: Path  # by strace, where there is one
    mark: Path  # which a program in Beam's cache would leave


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A machine with a program in Beam's cache; its home is beside the two files."""
    folder = tmp_path_factory.mktemp("watched")
    found = Watched(folder / "trace", folder / "mark")
    poison(folder, found.mark)
    return found


@pytest.fixture(scope="session")
def digits_run(project: Path, watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The first run on the digits, which others repeat or change.

    It is on a machine with a poisoned cache and a proxy that never answers, of a user whose other
    work makes errors of warnings and has another Keras.
    """
    user = {"PYTHONWARNINGS": "error", "KERAS_BACKEND": "torch"}
    with mute_proxy() as proxy:
        return run_pipeline(
            project,
            strace_command(watched.trace),
            {**proxy, **user, "HOME": str(watched.trace.parent)},
            DATASET="digits",
            OUTPUT=tmp_path_factory.mktemp("digits"),
        )


@pytest.fixture
def append_to(project: Path) -> Iterator[Callable[[str, str], None]]:
    """Returns a function that appends text to a file of the project; undone after the test."""
    originals: dict[Path, bytes] = {}

    def append(file: str, text: str) -> None:
        path = project / file
        originals.setdefault(path, path.read_bytes())
        path.write_bytes(originals[path] + text.encode())

    yield append
    for path, content in originals.items():
        path.write_bytes(content)
