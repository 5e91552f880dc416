"""Data sets in object stores: what belongs to one is copied, wherever names would lead."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.errors import ConfigError, DataError
from data.finding.opening import open_data
from data.splits import Split
from pipeline.storage import data_copies, locations, store_copies, stores

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 6, 6), np.uint8)


@pytest.fixture
def pictures(store: str, tmp_path: Path) -> str:
    """The URI of a folder with images of two classes, in a folder of its own there."""
    folder = tmp_path / "mine"
    for number, image in enumerate(PIXELS):
        path = folder / "animals" / "train" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (folder / "animals" / "train" / "cat" / "notes.txt").write_text("a terabyte")
    store_copies.upload(folder, f"{store}/mine")
    return f"{store}/mine"


def test_image_folders(pictures: str) -> None:
    dataset, uri = locations.data_set({"DATASET": pictures})
    assert (dataset.name, uri) == ("animals", f"{pictures}/animals")
    assert dataset.class_counts == {Split.TRAIN: (8, 8), Split.EVAL: (2, 2)}
    assert dataset.source == f"animals from {pictures}/animals"
    assert not list(dataset.location.rglob("*.txt"))


def test_files_that_patterns_name(pictures: str, tmp_path: Path) -> None:
    data_copies.download_matching(pictures, ["animals/train/*/*"], tmp_path / "all")
    assert len(list((tmp_path / "all").rglob("*.png"))) == 20
    patterns = ["animals/*/*", "animals/train/c?t/1*"]
    data_copies.download_matching(pictures, patterns, tmp_path / "some")
    found = sorted(path.name for path in (tmp_path / "some").rglob("*") if path.is_file())
    assert found == ["10.png", "12.png", "14.png", "16.png", "18.png"]


def test_names_that_lead_elsewhere(
    pictures: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an object store, a name may be anything."""
    find = stores.find
    led = {"../../up.png": 1, "/etc/x.png": 1, "a/../../../up.npz": 1}
    monkeypatch.setattr(stores, "find", lambda uri: find(uri) | led)
    data_copies.download_data(pictures, tmp_path / "a" / "b" / "copy")
    data_copies.download_matching(pictures, ["*/*", "*/*/*", "*/*/*/*"], tmp_path / "a" / "c")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b", "c"]
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["copy"]


def test_more_than_the_disk_holds(
    pictures: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")(10**6, 10**6, 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=f"^{pictures}: the 20 files .* has room for 100; .*TMPDIR"):
        data_copies.download_data(pictures, tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob("*.png"))


def test_a_single_file(store: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", x=PIXELS, y=np.arange(20) % 2)
    store_copies.upload(tmp_path / "some.npz", f"{store}/data/some.npz")
    store_copies.upload(tmp_path / "some.npz", f"{store}/data/other.npz")
    dataset, uri = locations.data_set({"DATASET": f"{store}/data/some.npz"})
    assert (dataset.name, uri) == ("some", f"{store}/data")
    assert os.listdir(dataset.location) == ["some.npz"]
    assert dataset.digests == open_data(tmp_path / "some.npz").digests
    assert dataset.source == f"some from {store}/data/some.npz"
    with pytest.raises(ConfigError, match="none.npz: cannot list there"):
        locations.data_set({"DATASET": f"{store}/data/none.npz"})
