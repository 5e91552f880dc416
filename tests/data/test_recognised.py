"""Folders of one's own that hold files of the catalogue: by what is read, never by their names."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.catalogue import CATALOGUE, CatalogueEntry
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.resolve import resolve_dataset

NAMES = tuple(f"the {name}" for name in "0123456789")


@pytest.fixture
def known(entry: CatalogueEntry, monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """The catalogue's only entry: the small data set, with names of its classes."""
    task = replace(entry.task, label_names=NAMES)
    for name in list(CATALOGUE):
        monkeypatch.delitem(CATALOGUE, name)
    monkeypatch.setitem(CATALOGUE, "mnist", replace(entry, task=task))
    return CATALOGUE["mnist"]


def test_by_the_content_of_what_is_read(known: CatalogueEntry, folder: Path) -> None:
    dataset = resolve_dataset(str(folder), None)
    assert (dataset.name, dataset.task.label_names) == ("small", NAMES)
    assert "the files are those of Small, so its names of classes are used" in dataset.notes


def test_by_the_md5_of_what_was_downloaded(
    known: CatalogueEntry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for file in known.files:
        packed = gzip.compress((folder / file.name).read_bytes())
        (folder / f"{file.name}.gz").write_bytes(packed)
        files.append(replace(file, sha256="", md5=hashlib.md5(packed).hexdigest()))
    monkeypatch.setitem(CATALOGUE, "mnist", replace(known, files=tuple(files)))
    assert resolve_dataset(str(folder), None).task.label_names == NAMES
    (folder / FILE_NAMES[0]).unlink()  # the packed file is read then
    assert resolve_dataset(str(folder), None).task.label_names == NAMES


def test_other_files_beside_the_known_ones(
    known: CatalogueEntry,
    folder: Path,
    arrays: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is read is another image than that of the file whose checksum is right."""
    test_by_the_md5_of_what_was_downloaded(known, folder, monkeypatch)
    images = arrays[FILE_NAMES[0]]
    images[0, 0, 0] ^= 1
    write_idx(folder / FILE_NAMES[0], images)
    assert resolve_dataset(str(folder), None).task.label_names == tuple("0123456789")


def test_other_content(known: CatalogueEntry, folder: Path, arrays: dict[str, np.ndarray]) -> None:
    write_idx(folder / FILE_NAMES[1], arrays[FILE_NAMES[1]][::-1])
    assert resolve_dataset(str(folder), None).task.label_names == tuple("0123456789")


def test_real_mnist_in_a_folder_of_ones_own(mnist_dir: Path) -> None:
    dataset = resolve_dataset(str(mnist_dir), None)
    assert "the files are those of MNIST, so its names of classes are used" in dataset.notes
    assert dataset.task.min_accuracy == CATALOGUE["mnist"].task.min_accuracy
