"""From what the user calls a data set to checked data on disk."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data import cache, digits
from data.catalogue import CATALOGUE, CatalogueEntry
from data.dataset import Dataset
from data.errors import DataError, disk_errors
from data.finding.opening import Expected, Size, open_data
from data.forms.idx_checksums import sha256_of
from data.mirrors.download import (
    DownloadError,
    answering_mirrors,
    candidates,
    download,
    missing_files,
)
from data.recognised import recognised
from data.task import Task

# Names that data of one's own must not have, or it would pass for the known one.
TAKEN = frozenset(("auto", "digits", *CATALOGUE))


def resolve_dataset(
    dataset: str,
    mnist_dir: str | None,
    cache_dir: Path | None = None,
    mirrors: Sequence[str] | None = None,
    size: Size | None = None,
) -> Dataset:
    """Finds, downloads or makes a data set, and checks it.

    Args:
        dataset: `auto` (MNIST if it can be had, else the offline digits), `digits`, a name from
            the catalogue, or a folder or file in one of the forms.
        mnist_dir: a folder with MNIST's files, used for `mnist` and `auto`; None or "" for none.
        cache_dir: downloads and the digits go into a folder of their name in it; None for the
            project's, or the platform's where that cannot be written.
        mirrors: base addresses used instead of the catalogue's.
        size: height and width that images are to be resized to; None for their own.

    Raises:
        DataError: there is no such data set, it is damaged, or it cannot be had.
    """
    cache_dir = None if cache_dir is None else _expanded(str(cache_dir))
    if dataset == "digits":
        return _digits(cache_dir, size)
    if dataset in ("auto", "mnist") and mnist_dir:
        return _open_known(CATALOGUE["mnist"], _expanded(mnist_dir), size)
    if dataset == "auto":
        return _mnist_or_digits(cache_dir, mirrors, size)
    if dataset in CATALOGUE:
        return _from_cache(CATALOGUE[dataset], cache_dir, mirrors, size)
    # "" would be the current folder to Path.
    if dataset and _exists(path := _expanded(dataset)):
        return recognised(open_data(path, size=size, taken=TAKEN))
    known = ", ".join(["auto", "digits", *CATALOGUE])
    raise DataError(
        f"unknown data set {dataset!r}; expected one of {known}, or the path of a folder or file "
        "with images, see docs/data.md"
    )


def known_task(dataset: str, size: Size | None = None) -> Task | None:
    """Returns the task of a data set that is known by name, without looking for it, or None.

    That of `auto` is MNIST's, whose images are of the digits' shape.
    """
    tasks = {"digits": digits.TASK, "auto": CATALOGUE["mnist"].task}
    tasks |= {name: entry.task for name, entry in CATALOGUE.items()}
    task = tasks.get(dataset)
    return task.resized(size) if task and size else task


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(f"{path}: there is no such user; give the whole path") from error


def _exists(path: Path) -> bool:
    with disk_errors("look at", path):
        return path.exists()


def _mnist_or_digits(
    cache_dir: Path | None, mirrors: Sequence[str] | None, size: Size | None
) -> Dataset:
    try:
        return _from_cache(CATALOGUE["mnist"], cache_dir, mirrors, size, is_wanted=False)
    except DownloadError as error:
        source = f"offline digits (MNIST was neither on disk nor downloadable: {error.reason})"
        return replace(_digits(cache_dir, size), source=source, is_fallback=True)


def _from_cache(
    entry: CatalogueEntry,
    cache_dir: Path | None,
    mirrors: Sequence[str] | None,
    size: Size | None,
    is_wanted: bool = True,
) -> Dataset:
    """Opens what is in the cache, or downloads it; less patiently where nobody insists on it."""

    def get(folder: Path) -> None:
        if is_wanted:
            download(entry, folder, mirrors)
        elif answering := answering_mirrors(entry, mirrors):
            download(entry, folder, answering, attempts=2)
        else:
            raise DownloadError(entry, entry.files[0].name, ["no mirror answered"])

    folder = cache.in_cache(
        entry.name, cache_dir, lambda folder: not missing_files(entry, folder), get
    )
    return _describe(entry, folder, size)


def _open_known(entry: CatalogueEntry, folder: Path, size: Size | None) -> Dataset:
    """Opens a folder that the user says holds `entry`, and checks that it does."""
    dataset = _describe(entry, folder, size)
    for file in entry.files:
        for path in candidates(dataset.location, file)[:1]:
            if (found := sha256_of(path)) != file.sha256:
                raise DataError(
                    f"{path}: SHA-256 of the decompressed bytes is {found}, expected {file.sha256} "
                    f"for {entry.title}; fetch the file again, or give the folder as the data set "
                    "itself if it is one of your own"
                )
    return dataset


def _describe(entry: CatalogueEntry, folder: Path, size: Size | None) -> Dataset:
    expected = Expected(entry.task, entry.label_values)
    dataset = open_data(folder, entry.name, size, expected)
    counts = dataset.train_examples, dataset.eval_examples
    if counts != (entry.train_examples, entry.eval_examples) and not _has_checksums(entry):
        raise DataError(
            f"{folder}: holds {counts[0]:,} training and {counts[1]:,} test images, expected "
            f"{entry.train_examples:,} and {entry.eval_examples:,} for {entry.title}; remove the "
            "folder, and it is fetched again"
        )
    return dataset


def _has_checksums(entry: CatalogueEntry) -> bool:
    return all(file.sha256 or file.md5 for file in entry.files)


def _digits(cache_dir: Path | None, size: Size | None) -> Dataset:
    folder = cache.in_cache("digits", cache_dir, digits.is_whole, digits.make_digits)
    dataset = open_data(folder, "digits", size, Expected(digits.TASK, tuple(range(10))))
    return replace(dataset, source=f"scikit-learn's 1,797 digits enlarged to 28x28, in {folder}")
