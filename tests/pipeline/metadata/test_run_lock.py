"""What keeps runs apart: OUTPUT, the pipeline's name on a server, one store an OUTPUT."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from data.cache import IN_PROJECT
from data.dataset import Dataset
from data.errors import ConfigError
from data.resolve import resolve_dataset
from pipeline.config import PipelineConfig
from pipeline.metadata.run_lock import STORE_FILE, only_run
from tests.support import mariadb
from tests.support.small_disk import SmallDisk


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return resolve_dataset("digits", None, IN_PROJECT)


def test_two_runs_in_one_output_are_refused(digits: Dataset, tmp_path: Path) -> None:
    config = PipelineConfig(digits, tmp_path)
    with only_run(config):
        other = dataclasses.replace(config, name="other")
        with pytest.raises(ConfigError, match=f"OUTPUT={tmp_path}: another run"), only_run(other):
            pass
    with only_run(other):
        pass


def test_a_full_disk_is_told_and_forgets_no_store(digits: Dataset, small_disk: SmallDisk) -> None:
    config = PipelineConfig(digits, small_disk.folder)
    with only_run(config):
        Path(config.pipeline_root).mkdir()
    before = (small_disk.folder / STORE_FILE).read_text()
    small_disk.fill()
    told = rf"^OUTPUT={small_disk.folder}: cannot write there \(No space left on device\)$"
    with pytest.raises(ConfigError, match=told), only_run(config):
        pass
    assert (small_disk.folder / STORE_FILE).read_text() == before


@pytest.fixture
def server(database_server: mariadb.Server, monkeypatch: pytest.MonkeyPatch) -> mariadb.Server:
    """The database server, with its password where this process's clients look for it."""
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    return database_server


def test_two_outputs_of_one_name_on_one_server_are_refused(
    digits: Dataset, tmp_path: Path, server: mariadb.Server
) -> None:
    server.execute("CREATE DATABASE tfx_lock")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    url = server.url("tfx_lock")
    config = PipelineConfig(digits, tmp_path / "a", metadata=url)
    other = PipelineConfig(digits, tmp_path / "b", metadata=url)
    with only_run(config):
        with (
            pytest.raises(ConfigError, match="PIPELINE_NAME=mnist-jax-digits: another run"),
            only_run(other),
        ):
            pass
        with only_run(dataclasses.replace(other, name="other")):
            pass


def test_an_output_stays_with_its_store(
    digits: Dataset, tmp_path: Path, server: mariadb.Server
) -> None:
    server.execute("CREATE DATABASE tfx_switch")
    url = server.url("tfx_switch")
    in_file = PipelineConfig(digits, tmp_path)
    on_server = dataclasses.replace(in_file, metadata=url)
    with only_run(in_file):
        pass
    with only_run(on_server):  # nothing was made yet, so nothing can be mixed
        Path(on_server.pipeline_root).mkdir()
    with (
        pytest.raises(ConfigError, match=f"METADATA=: what is in OUTPUT=.* recorded in {url}; use"),
        only_run(in_file),
    ):
        pass
    with only_run(on_server):
        pass


def test_a_run_with_a_root_elsewhere_changes_nothing_for_output(
    digits: Dataset, tmp_path: Path, server: mariadb.Server
) -> None:
    server.execute("CREATE DATABASE IF NOT EXISTS tfx_switch")
    in_file = PipelineConfig(digits, tmp_path)
    on_server = dataclasses.replace(in_file, metadata=server.url("tfx_switch"))
    Path(in_file.pipeline_root).mkdir()
    for config in (in_file, dataclasses.replace(on_server, root=str(tmp_path / "root"))):
        with only_run(config):
            pass
    with pytest.raises(ConfigError, match="METADATA=.* is recorded in"), only_run(on_server):
        pass
    with only_run(in_file):
        pass


def test_an_output_of_before_this_rule_is_in_sqlite(
    digits: Dataset, tmp_path: Path, server: mariadb.Server
) -> None:
    server.execute("CREATE DATABASE IF NOT EXISTS tfx_switch")
    config = PipelineConfig(digits, tmp_path, metadata=server.url("tfx_switch"))
    Path(config.pipeline_root).mkdir()
    with (
        pytest.raises(ConfigError, match=f"recorded in {tmp_path / 'metadata.db'}"),
        only_run(config),
    ):
        pass
    with only_run(dataclasses.replace(config, metadata="")):
        pass


def test_a_root_elsewhere_stays_with_its_store(digits: Dataset, tmp_path: Path, store: str) -> None:
    """Two stores number their executions alike, and so would overwrite each other's artifacts."""
    outputs = [tmp_path / "a", tmp_path / "b"]
    for output in outputs:
        output.mkdir()
    ours, theirs = (PipelineConfig(digits, output, root=store) for output in outputs)
    for _ in range(2):
        with only_run(ours):
            pass
    refused = f"PIPELINE_ROOT={store}: .* recorded in {outputs[0]}/metadata.db .*; use that, or"
    with pytest.raises(ConfigError, match=refused), only_run(theirs):
        pass
    with only_run(dataclasses.replace(theirs, root=f"{store}/other")):
        pass
    # The same path, but the file that knew the artifacts is gone.
    shutil.rmtree(outputs[0])
    outputs[0].mkdir()
    with pytest.raises(ConfigError, match=refused), only_run(ours):
        pass
