"""What tests of several folders share; what it takes is imported when a test asks for it."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import groups, mariadb

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.support.digit_models import DigitModels
    from tests.support.serving import Server
    from tests.support.small_disk import SmallDisk


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has the tests that cost most come first."""
    items.sort(key=lambda item: groups.rank_of(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)  # there is no such hook with `-p no:xdist`
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> groups.ByGroup:
    """Has workers run whole groups, in the order of the tests and not of the groups' sizes."""
    config.option.loadscopereorder = False
    return groups.ByGroup(config, log)


@pytest.fixture(scope="session")
def digit_models(tmp_path_factory: pytest.TempPathFactory) -> "DigitModels":
    """A network trained on real digits, and its models in every format."""
    from tests.support.digit_models import (
        DigitModels,  # here, since tests of `data` need no TensorFlow
    )

    return DigitModels(tmp_path_factory.mktemp("digit_models"))


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The real MNIST; the test is skipped where MNIST_DIR does not say where it is."""
    if not os.environ.get("MNIST_DIR"):
        pytest.skip("MNIST_DIR is not set")
    return Path(os.environ["MNIST_DIR"])


@pytest.fixture(scope="session")
def database_server() -> Iterator[mariadb.Server]:
    """A MariaDB server; see `mariadb.running` for where there is none."""
    with mariadb.running() as server:
        yield server


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[dict[str, str]]:
    """What a process needs to use an S3 server of the tests'."""
    from tests.support.object_stores import s3_server

    with s3_server() as environment:
        yield environment


@pytest.fixture(scope="session")
def gcs_environment() -> Iterator[dict[str, str]]:
    """What a process needs to use a server of Google Cloud Storage's of the tests'."""
    from tests.support.object_stores import gcs_server

    with gcs_server() as environment:
        yield environment


@pytest.fixture
def s3(
    s3_environment: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URI of a folder, not there yet, in an S3 store that this process can use."""
    yield from _usable("s3", s3_environment, tmp_path, monkeypatch)


@pytest.fixture(params=["s3", "gs", "file"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The same in a store of each kind."""
    if request.param == "file":
        yield f"file://{tmp_path}/store"
        return
    fixture = {"s3": "s3_environment", "gs": "gcs_environment"}[request.param]
    environment = request.getfixturevalue(fixture)
    yield from _usable(request.param, environment, tmp_path, monkeypatch)


def _usable(
    scheme: str, environment: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    from tests.support.object_stores import BUCKET, forget_connections

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_connections()
    yield f"{scheme}://{BUCKET}/{tmp_path.name}"
    forget_connections()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator["SmallDisk"]:
    """A disk of a few pages; see `small_disk.mounted` for where there can be none."""
    from tests.support.small_disk import mounted

    with mounted(tmp_path / "small_disk") as disk:
        yield disk


@pytest.fixture(scope="session")
def served_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """Makes the SavedModel of a mark, once each."""
    from tests.support.serving import write_model

    folder = tmp_path_factory.mktemp("models")
    return cache(lambda mark: write_model(folder / str(mark), mark))


@pytest.fixture(scope="session")
def server(
    served_model: Callable[[float], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Server"]:
    """A server that has a version from the start; its mark is 1."""
    from tests.support.serving import push, serving

    output = tmp_path_factory.mktemp("served")
    version = push(served_model(1.0), output / "serving")
    with serving(output) as server:
        server.wait_for(version)
        yield server
        assert server.stop() == 0, server.log
