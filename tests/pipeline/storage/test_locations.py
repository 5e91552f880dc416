"""Settings that name folders on disk or in object stores: what is taken, and what is refused."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from data.dataset import Dataset
from data.errors import ConfigError, DataError
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from pipeline.components.example_gen import image_example_gen
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.settings import config_from_environment
from pipeline.storage import locations, store_copies, stores

NAME = "small"
NUM_TRAIN, NUM_EVAL = 12, 10


def pixels(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)


def write_data(folder: Path) -> None:
    for images, labels, count in (
        (*FILE_NAMES[:2], NUM_TRAIN),
        (*FILE_NAMES[2:], NUM_EVAL),
    ):
        write_idx(folder / images, pixels(count))
        write_idx(folder / labels, np.arange(count, dtype=np.uint8) % 10)


@pytest.fixture
def data(store: str, tmp_path: Path) -> str:
    """The URI of a small data set, with something beside it that nobody asked for."""
    folder = tmp_path / "mine"
    (folder / "train-more").mkdir(parents=True)
    (folder / "train-more" / "file").write_text("not to be copied")
    write_data(folder)
    (folder / "notes.txt").write_text("a terabyte")
    store_copies.upload(folder, f"{store}/mine")
    return f"{store}/mine"


def test_a_place_is_a_path_or_a_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locations.place({}, "PUSH_TO") == locations.place({"PUSH_TO": ""}, "PUSH_TO") == ""
    assert locations.place({"PUSH_TO": "here"}, "PUSH_TO") == str(tmp_path / "here")
    assert locations.place({"PUSH_TO": "s3://bucket/a/"}, "PUSH_TO") == "s3://bucket/a"
    with pytest.raises(ConfigError, match=r"^PUSH_TO=ftp://x: there is no ftp:// here"):
        locations.place({"PUSH_TO": "ftp://x"}, "PUSH_TO")


def test_places_are_tried(s3: str, tmp_path: Path) -> None:
    locations.check_writable({"PIPELINE_ROOT": s3, "PUSH_TO": str(tmp_path / "new"), "OTHER": ""})
    assert (tmp_path / "new").is_dir()
    with pytest.raises(ConfigError, match=r"^PUSH_TO=s3://missing: cannot write there"):
        locations.check_writable({"PIPELINE_ROOT": s3, "PUSH_TO": "s3://missing"})
    with pytest.raises(ConfigError, match=r"^PUSH_TO=/proc/x: cannot write there"):
        locations.check_writable({"PUSH_TO": "/proc/x"})


def test_settings_reach_the_config(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_data(tmp_path / "mine")
    settings = {"DATASET": str(tmp_path / "mine"), "OUTPUT": str(tmp_path / "output")}
    uris = {"PIPELINE_ROOT": "gs://bucket/root", "PUSH_TO": "s3://bucket/to", "STAGE_BEAM": "0"}
    config = config_from_environment(settings | uris)
    assert config.pipeline_root == "gs://bucket/root"
    assert config.serving_dir == "s3://bucket/to/serving"
    assert config.device_dir == "s3://bucket/to/device"
    assert not config.stage_beam and config_from_environment(settings).stage_beam
    assert config.report_dir == tmp_path / "output" / "report"
    with pytest.raises(ConfigError, match="^STAGE_BEAM=2: expected a whole number from 0 to 1$"):
        config_from_environment(settings | {"STAGE_BEAM": "2"})
    with pytest.raises(ConfigError, match=r"^STAGE_BEAM=0: .* not PIPELINE_ROOT=s3://bucket/root;"):
        config_from_environment(settings | uris | {"PIPELINE_ROOT": "s3://bucket/root"})


def test_data_in_a_store_is_copied_and_checked(data: str) -> None:
    files, uri = locations.data_set({"DATASET": f"{data}/"})
    assert (files.name, files.train_examples, uri) == ("mine", NUM_TRAIN, data)
    assert files.source == f"mine from {data}"
    assert sorted(path.name for path in files.location.iterdir()) == sorted(FILE_NAMES)


def test_a_folder_in_a_store_that_says_it_is_mnist_and_is_not(data: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(data)}/train-images.*SHA-256"):
        locations.data_set({"DATASET": "mnist", "MNIST_DIR": data})


def test_data_that_is_incomplete_is_named_by_its_uri(data: str) -> None:
    stores.remove(f"{data}/{FILE_NAMES[1]}")
    with pytest.raises(DataError, match=f"^{re.escape(data)}: {FILE_NAMES[1]} missing"):
        locations.data_set({"DATASET": data})


def test_a_folder_that_is_not_there(store: str) -> None:
    with pytest.raises(ConfigError, match=rf"^DATASET={store}/none: cannot list there \(not found"):
        locations.data_set({"DATASET": f"{store}/none"})
    with pytest.raises(ConfigError, match=r"^MNIST_DIR=ftp://x: there is no ftp:// here"):
        locations.data_set({"MNIST_DIR": "ftp://x"})


def run_example_gen(data: str, dataset: Dataset, folder: Path) -> tuple[str, bool]:
    """Returns the path of the examples, and whether they came from the cache."""
    metadata_file = folder / "metadata.db"
    connection = sqlite_metadata_connection_config(str(metadata_file))
    components = [image_example_gen(dataset, data)]
    LocalDagRunner().run(
        Pipeline(NAME, str(folder / "root"), connection, components, enable_cache=True)
    )
    store = open_store(str(metadata_file))
    [(node, execution)] = runs.run_executions(store, NAME).items()
    uri = runs.output_artifacts(store, execution)["examples"].uri
    return uri, runs.node_times(store, NAME)[node].is_cached


def count(uri: str, split: str) -> int:
    files = tf.io.gfile.glob(f"{uri}/Split-{split}/*")
    return sum(1 for _ in tf.data.TFRecordDataset(files, "GZIP"))


def test_example_gen_reads_a_store_and_notices_new_data(data: str, tmp_path: Path) -> None:
    dataset = locations.data_set({"DATASET": data})[0]
    examples, _ = run_example_gen(data, dataset, tmp_path)
    assert (count(examples, "train"), count(examples, "eval")) == (NUM_TRAIN, NUM_EVAL)
    assert run_example_gen(data, dataset, tmp_path) == (examples, True)

    write_idx(tmp_path / "new", pixels(NUM_TRAIN + 3))
    store_copies.upload(tmp_path / "new", f"{data}/{FILE_NAMES[0]}")
    with pytest.raises(DataError, match=f"^{re.escape(data)}: is no longer what"):
        run_example_gen(data, dataset, tmp_path)
    write_idx(tmp_path / "labels", np.zeros(NUM_TRAIN + 3, np.uint8))
    store_copies.upload(tmp_path / "labels", f"{data}/{FILE_NAMES[1]}")
    dataset = locations.data_set({"DATASET": data})[0]
    examples, is_cached = run_example_gen(data, dataset, tmp_path)
    assert (count(examples, "train"), is_cached) == (NUM_TRAIN + 3, False)


def test_no_terabyte_is_copied(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first bytes say how long a file should be, plain or gzipped."""
    copied: list[str] = []
    original = store_copies.download_files

    def noting(uri: str, names: Iterable[str], destination: Path) -> None:
        copied.extend(names)
        original(uri, names, destination)

    monkeypatch.setattr(store_copies, "download_files", noting)
    for name, change in ((FILE_NAMES[0], bytes), (FILE_NAMES[2], gzip.compress)):
        write_idx(tmp_path / name, pixels(NUM_TRAIN))
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(change(whole) + bytes(1 << 20))
        store_copies.upload(tmp_path / name, f"{data}/{name}")
        with pytest.raises(DataError, match=f"^{re.escape(data)}/{name}: holds .* too long"):
            locations.data_set({"DATASET": data})
        assert name not in copied
        (tmp_path / name).write_bytes(whole)
        store_copies.upload(tmp_path / name, f"{data}/{name}")
