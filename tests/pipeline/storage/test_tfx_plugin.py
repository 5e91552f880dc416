"""TFX's own file operations on URIs of object stores."""

import time
from pathlib import Path

import pytest
from tfx.dsl.io import fileio
from tfx.dsl.io.filesystem_registry import DEFAULT_FILESYSTEM_REGISTRY
from tfx.utils import io_utils

from pipeline.storage import stores
from pipeline.storage.tfx_plugin import StoreFilesystem


def write(path: str, text: str) -> None:
    with fileio.open(path, "w") as file:
        file.write(text)


def read(path: str) -> str:
    with fileio.open(path) as file:
        return file.read()


@pytest.mark.parametrize("uri", ["s3://b/x", "gs://b/x", "file:///x"])
def test_the_plugin_is_chosen_by_the_scheme(uri: str) -> None:
    assert DEFAULT_FILESYSTEM_REGISTRY.get_filesystem_for_path(uri) is StoreFilesystem


@pytest.mark.parametrize("path", ["/x", "x", "hdfs://x"])
def test_other_paths_stay_with_tfx(path: str) -> None:
    assert DEFAULT_FILESYSTEM_REGISTRY.get_filesystem_for_path(path) is not StoreFilesystem


def test_text_and_bytes_come_back(store: str) -> None:
    write(f"{store}/text", "äöü\n")
    assert read(f"{store}/text") == "äöü\n"
    with fileio.open(f"{store}/text", "rb") as file:
        assert file.read() == "äöü\n".encode()


def test_what_is_there(store: str) -> None:
    write(f"{store}/1/deep/file", "")
    write(f"{store}/1/other", "")
    write(f"{store}/10/file", "")
    for folder in (store, f"{store}/1", f"{store}/1/", f"{store}/1/deep"):
        assert fileio.exists(folder) and fileio.isdir(folder)
    assert fileio.exists(f"{store}/1/other") and not fileio.isdir(f"{store}/1/other")
    assert not fileio.exists(f"{store}/2") and not fileio.isdir(f"{store}/2")
    assert sorted(fileio.listdir(f"{store}/1")) == ["deep", "other"]
    assert sorted(fileio.glob(f"{store}/1/*")) == [f"{store}/1/deep", f"{store}/1/other"]
    assert fileio.glob(f"{store}/[0-9]") == [f"{store}/1"]
    assert fileio.glob(f"{store}/2/*") == []
    walked = {top: (folders, files) for top, folders, files in fileio.walk(f"{store}/1")}
    assert walked == {
        f"{store}/1": (["deep"], ["other"]),
        f"{store}/1/deep": ([], ["file"]),
    }


def test_what_is_not_there(store: str) -> None:
    for missing in (fileio.open, fileio.listdir, fileio.stat):
        with pytest.raises(fileio.NotFoundError, match=f"{store}/none"):
            missing(f"{store}/none")
    fileio.remove(f"{store}/none")
    fileio.rmtree(f"{store}/none")


def test_copies_and_moves(store: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_text("new")
    write(f"{store}/old", "old")
    with pytest.raises(OSError, match="already there"):
        fileio.copy(f"{store}/old", f"{store}/old")
    fileio.copy(str(tmp_path / "local"), f"{store}/old", overwrite=True)
    fileio.copy(f"{store}/old", f"{store}/deep/copy")
    fileio.rename(f"{store}/old", f"{store}/moved")
    assert read(f"{store}/deep/copy") == read(f"{store}/moved") == "new"
    assert not fileio.exists(f"{store}/old")


def test_a_folder_is_pushed_as_the_pusher_does(store: str, tmp_path: Path) -> None:
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "variables" / "data").write_text("weights")
    (tmp_path / "model" / "saved_model.pb").write_text("graph")
    io_utils.copy_dir(str(tmp_path / "model"), f"{store}/serving/17", deny_regex_patterns=[r"\.pb"])
    assert stores.names(f"{store}/serving/17") == ["variables"]
    assert read(f"{store}/serving/17/variables/data") == "weights"


def test_new_data_is_noticed(store: str) -> None:
    """By size, and by the second in which it was written."""
    write(f"{store}/train-images", "same")
    write(f"{store}/test-images", "other")
    first = io_utils.generate_fingerprint("train", f"{store}/train-*")
    assert "num_files:1,total_bytes:4" in first
    assert io_utils.generate_fingerprint("train", f"{store}/train-*") == first
    time.sleep(1.1)
    write(f"{store}/train-images", "same")
    assert io_utils.generate_fingerprint("train", f"{store}/train-*") != first
