"""From what the user calls a data set to checked files on disk."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data import cache, digits
from data.catalogue import CATALOGUE, CatalogueEntry
from data.dataset import DatasetFiles, open_folder
from data.errors import DataError, disk_errors
from data.mirrors.download import DownloadError, answering_mirrors, download, missing_files


def resolve_dataset(
    dataset: str,
    mnist_dir: str | None,
    cache_dir: Path | None = None,
    mirrors: Sequence[str] | None = None,
) -> DatasetFiles:
    """Finds, downloads or makes a data set, and checks it.

    Args:
        dataset: `auto` (MNIST if it can be had, else the offline digits), `digits`, a name from
            the catalogue, or a folder with four IDX files.
        mnist_dir: a folder with MNIST's files, used for `mnist` and `auto`; None or "" for none.
        cache_dir: downloads and the digits go into a folder of their name in it; None for the
            project's, or the platform's where that cannot be written.
        mirrors: base addresses used instead of the catalogue's.

    Raises:
        DataError: there is no such data set, it is damaged, or it cannot be had.
    """
    cache_dir = None if cache_dir is None else _expanded(str(cache_dir))
    if dataset == "digits":
        return _digits(cache_dir)
    if dataset in ("auto", "mnist") and mnist_dir:
        return _open_known(CATALOGUE["mnist"], _expanded(mnist_dir))
    if dataset == "auto":
        return _mnist_or_digits(cache_dir, mirrors)
    if dataset in CATALOGUE:
        return _from_cache(CATALOGUE[dataset], cache_dir, mirrors)
    # "" would be the current folder to Path.
    if dataset and _is_folder(folder := _expanded(dataset)):
        name = folder.resolve().name
        # Or it would pass for the known one, in OUTPUT and in the report.
        is_taken = name in ("auto", "digits", *CATALOGUE)
        return open_folder(folder, f"folder-{name}" if is_taken else name)
    known = ", ".join(["auto", "digits", *CATALOGUE])
    raise DataError(
        f"unknown data set {dataset!r}; expected one of {known}, or the path of a folder with "
        "four IDX files"
    )


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(f"{path}: there is no such user; give the whole path") from error


def _is_folder(path: Path) -> bool:
    with disk_errors("look at", path):
        return path.is_dir()


def _mnist_or_digits(cache_dir: Path | None, mirrors: Sequence[str] | None) -> DatasetFiles:
    try:
        return _from_cache(CATALOGUE["mnist"], cache_dir, mirrors, is_wanted=False)
    except DownloadError as error:
        source = f"offline digits (MNIST was neither on disk nor downloadable: {error.reason})"
        return replace(_digits(cache_dir), source=source, is_fallback=True)


def _from_cache(
    entry: CatalogueEntry,
    cache_dir: Path | None,
    mirrors: Sequence[str] | None,
    is_wanted: bool = True,
) -> DatasetFiles:
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
    return _describe(entry, folder)


def _open_known(entry: CatalogueEntry, folder: Path) -> DatasetFiles:
    """Opens a folder that the user says holds `entry`, and checks that it does."""
    files = _describe(entry, folder)
    for path, found, known in zip(files.paths, files.digests, entry.files, strict=True):
        if found != known.sha256:
            raise DataError(
                f"{path}: SHA-256 of the decompressed bytes is {found}, expected {known.sha256} "
                f"for {entry.title}; fetch the file again, or give the folder as the data set "
                "itself if it is one of your own"
            )
    return files


def _describe(entry: CatalogueEntry, folder: Path) -> DatasetFiles:
    files = open_folder(folder, entry.name, entry.num_classes)
    return replace(files, source=f"{entry.title} from {folder}")


def _digits(cache_dir: Path | None) -> DatasetFiles:
    folder = cache.in_cache("digits", cache_dir, digits.is_whole, digits.make_digits)
    files = open_folder(folder, "digits", num_classes=10)
    return replace(files, source=f"scikit-learn's 1,797 digits enlarged to 28x28, in {folder}")
