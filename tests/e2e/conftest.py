"""The runs that several tests look at."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Run, copy_project, run_pipeline


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def digits_run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The first run on the digits, which others repeat or change."""
    return run_pipeline(project, DATASET="digits", OUTPUT=tmp_path_factory.mktemp("digits"))


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
