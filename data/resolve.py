"""From what the user calls a data set to checked files on disk."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data.catalogue import CATALOGUE, CatalogueEntry
from data.dataset import DatasetFiles, open_folder
from data.digits import make_digits
from data.download import DownloadError, answering_mirrors, download, missing_files
from data.errors import DataError
from data.idx import sha256_of

DEFAULT_CACHE = Path(__file__).parent / "cache"


def resolve_dataset(
    dataset: str, mnist_dir: str | None, cache_dir: Path, mirrors: Sequence[str] | None = None
) -> DatasetFiles:
    """Finds, downloads or makes a data set, and checks it.

    Args:
        dataset: `auto` (MNIST if it can be had, else the offline digits), `digits`, a name from
            the catalogue, or a folder with four IDX files.
        mnist_dir: a folder with MNIST's files, used for `mnist` and `auto`; None or "" for none.
        cache_dir: downloads and the digits go into a folder of their name in it.
        mirrors: base addresses used instead of the catalogue's.

    Raises:
        DataError: there is no such data set, it is damaged, or it cannot be had.
    """
    cache_dir = Path(cache_dir).expanduser()
    if dataset == "digits":
        return _digits(cache_dir)
    if dataset in ("auto", "mnist") and mnist_dir:
        return _open_known(CATALOGUE["mnist"], Path(mnist_dir).expanduser())
    if dataset == "auto":
        return _mnist_or_digits(cache_dir, mirrors)
    if dataset in CATALOGUE:
        return _from_cache(CATALOGUE[dataset], cache_dir, mirrors)
    # "" would be the current folder to Path.
    if dataset and (folder := Path(dataset).expanduser()).is_dir():
        name = folder.resolve().name
        # Or it would pass for the known one, in OUTPUT and in the report.
        is_taken = name in ("auto", "digits", *CATALOGUE)
        return open_folder(folder, f"folder-{name}" if is_taken else name)
    known = ", ".join(["auto", "digits", *CATALOGUE])
    raise DataError(
        f"unknown data set {dataset!r}; expected one of {known}, or the path of a folder with "
        "four IDX files"
    )


def _mnist_or_digits(cache_dir: Path, mirrors: Sequence[str] | None) -> DatasetFiles:
    entry = CATALOGUE["mnist"]
    try:
        if missing_files(entry, cache_dir / entry.name):
            mirrors = answering_mirrors(entry, mirrors)
            if not mirrors:
                raise DownloadError(entry, entry.files[0].name, ["no mirror answered"])
        return _from_cache(entry, cache_dir, mirrors, attempts=2)
    except DownloadError as error:
        source = f"offline digits (MNIST was neither on disk nor downloadable: {error.reason})"
        return replace(_digits(cache_dir), source=source, is_fallback=True)


def _from_cache(
    entry: CatalogueEntry, cache_dir: Path, mirrors: Sequence[str] | None, attempts: int = 3
) -> DatasetFiles:
    folder = cache_dir / entry.name
    download(entry, folder, mirrors, attempts=attempts)
    return _describe(entry, folder)


def _open_known(entry: CatalogueEntry, folder: Path) -> DatasetFiles:
    """Opens a folder that the user says holds `entry`, and checks that it does."""
    files = _describe(entry, folder)
    for path, known in zip(files.paths, entry.files, strict=True):
        if (found := sha256_of(path)) != known.sha256:
            raise DataError(
                f"{path}: SHA-256 of the decompressed bytes is {found}, expected {known.sha256} "
                f"for {entry.title}; fetch the file again, or give the folder as the data set "
                "itself if it is one of your own"
            )
    return files


def _describe(entry: CatalogueEntry, folder: Path) -> DatasetFiles:
    files = open_folder(folder, entry.name, entry.num_classes)
    return replace(files, source=f"{entry.title} from {folder}")


def _digits(cache_dir: Path) -> DatasetFiles:
    folder = cache_dir / "digits"
    make_digits(folder)
    files = open_folder(folder, "digits", num_classes=10)
    return replace(files, source=f"scikit-learn's 1,797 digits enlarged to 28x28, in {folder}")
