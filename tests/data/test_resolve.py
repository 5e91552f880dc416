"""From the name of a data set to files: what is found, what is refused, what is fallen back to."""

import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.catalogue import CATALOGUE, CatalogueEntry
from data.errors import DataError
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.mirrors.download import DownloadError
from data.resolve import resolve_dataset

Serve = Callable[[dict[str, bytes]], Any]  # to conftest's Mirror


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def small(entry: CatalogueEntry, monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """The catalogue's `mnist` is the small data set."""
    monkeypatch.setitem(CATALOGUE, "mnist", entry)
    return entry


def test_mnist_without_network_is_an_error(cache: Path, closed: str) -> None:
    with pytest.raises(DownloadError, match="MNIST: cannot download .*refused.*MNIST_DIR"):
        resolve_dataset("mnist", None, cache, [closed])


@pytest.mark.parametrize("dataset", ["mnist", "auto"])
def test_mnist_is_downloaded_once_and_then_on_disk(
    small: CatalogueEntry,
    cache: Path,
    serve: Serve,
    compressed: dict[str, bytes],
    closed: str,
    dataset: str,
) -> None:
    mirror = serve(compressed)
    files = resolve_dataset(dataset, None, cache, [mirror.address])
    assert (files.name, files.task.num_classes, files.is_fallback) == ("mnist", 10, False)
    assert files.location == cache / "mnist"
    assert files.source == f"Small from {cache / 'mnist'}"
    assert resolve_dataset(dataset, "", cache, [closed]) == files


@pytest.mark.parametrize("dataset", ["mnist", "auto"])
def test_mnist_dir_is_used_in_place(
    small: CatalogueEntry, folder: Path, cache: Path, dataset: str
) -> None:
    files = resolve_dataset(dataset, str(folder), cache, [])
    assert (files.name, files.is_fallback) == ("mnist", False)
    assert files.location == folder
    assert files.source == f"Small from {folder}"
    assert not cache.exists()


def test_another_name_of_the_catalogue(
    entry: CatalogueEntry,
    folder: Path,
    cache: Path,
    serve: Serve,
    compressed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = replace(entry.task, name="other", title="Other", label_names=tuple("abcdefghijkl"))
    other = replace(entry, task=task, label_values=tuple(range(12)))
    monkeypatch.setitem(CATALOGUE, "other", other)
    # MNIST_DIR says nothing about it.
    files = resolve_dataset("other", str(folder), cache, [serve(compressed).address])
    assert (files.name, files.task.num_classes) == ("other", 12)
    assert files.location == cache / "other"


def test_auto_without_network_falls_back_and_says_so(cache: Path, closed: str) -> None:
    files = resolve_dataset("auto", None, cache, [closed])
    assert files.is_fallback and files.name == "digits"
    assert (files.train_examples, files.eval_examples, files.task.num_classes) == (1433, 364, 10)
    assert files.source == (
        "offline digits (MNIST was neither on disk nor downloadable: no mirror answered)"
    )


def test_auto_falls_back_when_the_mirrors_lack_the_files(cache: Path, serve: Serve) -> None:
    files = resolve_dataset("auto", None, cache, [serve({}).address])
    assert files.is_fallback
    assert "HTTP 404" in files.source


def test_auto_repairs_a_damaged_download(
    small: CatalogueEntry, cache: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    files = resolve_dataset("auto", None, cache, [mirror.address])
    (files.location / f"{FILE_NAMES[2]}.gz").write_bytes(gzip.compress(b"damaged"))
    assert resolve_dataset("auto", None, cache, [mirror.address]) == files


@pytest.mark.parametrize("dataset", ["mnist", "auto"])
def test_damaged_mnist_dir_is_an_error_even_for_auto(
    small: CatalogueEntry, folder: Path, cache: Path, arrays: dict[str, np.ndarray], dataset: str
) -> None:
    images = arrays[FILE_NAMES[2]]
    images[0, 0, 0] ^= 1
    write_idx(folder / FILE_NAMES[2], images)
    with pytest.raises(DataError, match=f"{FILE_NAMES[2]}: SHA-256 .*{small.files[2].sha256}"):
        resolve_dataset(dataset, str(folder), cache, [])
    (folder / FILE_NAMES[1]).unlink()
    with pytest.raises(DataError, match=f"{FILE_NAMES[1]} missing"):
        resolve_dataset(dataset, str(folder), cache, [])
    shutil.rmtree(folder)
    with pytest.raises(DataError, match="no such folder"):
        resolve_dataset(dataset, str(folder), cache, [])


def test_digits_are_no_fallback_and_ignore_mnist_dir(cache: Path) -> None:
    files = resolve_dataset("digits", "/nowhere", cache)
    assert (files.name, files.is_fallback) == ("digits", False)
    times = [path.stat().st_mtime_ns for path in sorted(files.location.iterdir())]
    again = resolve_dataset("digits", None, cache)
    assert again == files
    assert [path.stat().st_mtime_ns for path in sorted(again.location.iterdir())] == times


def test_folder_of_ones_own(folder: Path, cache: Path, arrays: dict[str, np.ndarray]) -> None:
    labels = arrays[FILE_NAMES[1]]
    labels[0] = 11
    write_idx(folder / FILE_NAMES[1], labels)
    files = resolve_dataset(str(folder), None, cache)
    assert (files.name, files.source) == ("small", f"small from {folder}")
    assert files.task.label_names == (*"0123456789", "11")


def test_unreadable_own_folder_is_named(tmp_path: Path, cache: Path) -> None:
    write_idx(tmp_path / FILE_NAMES[0], np.zeros((1, 28, 28), np.uint8))
    with pytest.raises(DataError, match="missing"):
        resolve_dataset(str(tmp_path), None, cache)


@pytest.mark.parametrize("dataset", ["mnits", "", "/no/such/folder"])
def test_unknown_name(cache: Path, dataset: str) -> None:
    with pytest.raises(
        DataError, match=f"unknown data set '{dataset}'.* auto, digits, mnist, .*path"
    ):
        resolve_dataset(dataset, None, cache)


def test_real_mnist(mnist_dir: Path, cache: Path) -> None:
    files = resolve_dataset("auto", str(mnist_dir), cache, [])
    assert (files.train_examples, files.eval_examples) == (60_000, 10_000)
    assert files.source == f"MNIST from {mnist_dir}"


def test_real_mnist_through_a_mirror(mnist_dir: Path, cache: Path, serve: Serve) -> None:
    mirror = serve({f"{n}.gz": (mnist_dir / f"{n}.gz").read_bytes() for n in FILE_NAMES})
    files = resolve_dataset("auto", None, cache, [mirror.address])
    assert (files.train_examples, files.is_fallback) == (60_000, False)
