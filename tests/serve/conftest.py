"""One server for all tests that do it no harm that lasts, and small models."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.serving import Server


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """Makes the SavedModel of a mark, once each."""
    from tests.support.serving import write_model

    folder = tmp_path_factory.mktemp("models")
    return cache(lambda mark: write_model(folder / str(mark), mark))


@pytest.fixture(scope="session")
def server(
    model: Callable[[float], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Server"]:
    """A server that has a version from the start; its mark is 1."""
    from tests.support.serving import push, serving

    output = tmp_path_factory.mktemp("served")
    version = push(model(1.0), output / "serving")
    with serving(output) as server:
        server.wait_for(version)
        yield server
        assert server.stop() == 0, server.log
