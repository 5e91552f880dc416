"""Settings that may name a folder on disk or in an object store."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from data.dataset import Dataset
from data.errors import ConfigError, DataError
from data.resolve import TAKEN, resolve_dataset
from pipeline.storage import data_copies, stores

# TFX looks for files by patterns that it makes of folders' names, with no way to quote them.
_IN_PATTERNS = "[*?"


def place(environment: Mapping[str, str], setting: str) -> str:
    """Returns a folder to write to, as an absolute path or a URI; "" when it is not set.

    Raises:
      ConfigError: the URI is of no store that is known, or incomplete.
    """
    location = environment.get(setting) or ""
    if not location:
        return ""
    if not stores.is_uri(location):
        return str(local_folder(setting, location))
    try:
        stores.check_form(location)
    except stores.StoreError as error:
        raise ConfigError(f"{setting}={error}") from error
    check_no_pattern(setting, location)
    return location.rstrip("/")


def local_folder(setting: str, path: str) -> Path:
    """Returns a path as an absolute one, with `~` replaced.

    Raises:
      ConfigError: there is no such user, TFX would read it as a pattern, or the system refuses to
        look there, since a name is too long for one.
    """
    try:
        absolute = Path(path).expanduser().absolute()
        absolute.stat()
    except RuntimeError as error:
        raise ConfigError(
            f"{setting}={path}: the home folder of this user is not known; give the whole path"
        ) from error
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise ConfigError(f"{setting}={path}: cannot be accessed ({_reason(error)})") from error
    check_no_pattern(setting, absolute)
    return absolute


def check_no_pattern(setting: str, location: str | Path) -> None:
    """Raises ConfigError when TFX would read the path or URI as a pattern for others, too."""
    if found := [character for character in _IN_PATTERNS if character in str(location)]:
        raise ConfigError(
            f"{setting}={location}: TFX reads {found[0]!r} in a path as part of a pattern; give a "
            f"folder whose path has none of {' '.join(_IN_PATTERNS)}"
        )


def _reason(error: OSError | ValueError) -> str:
    return os.strerror(error.errno) if getattr(error, "errno", None) else str(error)


def local_place(environment: Mapping[str, str], setting: str) -> str:
    """Returns a folder of this machine, as an absolute path; "" when it is not set.

    Raises:
      ConfigError: it is a URI.
    """
    location = environment.get(setting) or ""
    if stores.is_uri(location):
        raise ConfigError(
            f"{setting}={location}: expected a folder of this machine; PIPELINE_ROOT and PUSH_TO "
            "may be in an object store"
        )
    return place(environment, setting)


def check_staging(root: str, stage_beam: bool) -> None:
    """Raises ConfigError when Beam's components cannot do without copies of what is in `root`."""
    if stores.is_uri(root) and not root.startswith("gs://") and not stage_beam:
        raise ConfigError(
            f"STAGE_BEAM=0: TensorFlow itself reads no object store but gs://, and so not "
            f"PIPELINE_ROOT={root}; leave STAGE_BEAM at 1, or give another root"
        )


def check_writable(settings: Mapping[str, str]) -> None:
    """Tries to write to the values, if any; the keys are the names of the settings.

    Raises:
      ConfigError: one cannot be written to, or its store does not answer.
    """
    for setting, location in settings.items():
        if not location:
            continue
        if not stores.is_uri(location):
            make_writable(setting, Path(location))
            continue
        try:
            stores.check_writable(location)
        except stores.StoreError as error:
            raise ConfigError(f"{setting}={error}") from error


def make_writable(setting: str, folder: Path) -> None:
    """Makes a folder on disk and tries to write in it; raises ConfigError when that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{setting}={folder}: cannot write there ({_reason(error)}); give a folder that can be "
            "written"
        ) from error


def data_set(
    environment: Mapping[str, str], size: tuple[int, int] | None = None
) -> tuple[Dataset, str]:
    """Finds the data set that DATASET and MNIST_DIR name, in DATA_CACHE if need be, and checks it.

    Args:
      environment: the settings.
      size: height and width that images are to be resized to; None for their own.

    Returns:
      The data set, and its URI if it came from an object store. Its files are then copies, which go
      when the process ends.

    Raises:
      ConfigError: an object store cannot be read.
      data.errors.DataError: the data set is unknown, missing or damaged.
    """
    wanted = environment.get("DATASET") or "auto"
    cache_dir = local_place(environment, "DATA_CACHE")
    cache = Path(cache_dir) if cache_dir else None
    mnist_dir = environment.get("MNIST_DIR") or None
    if stores.is_uri(wanted):
        setting, uri = "DATASET", wanted
    elif wanted in ("auto", "mnist") and mnist_dir and stores.is_uri(mnist_dir):
        setting, uri = "MNIST_DIR", mnist_dir
    else:
        if wanted not in TAKEN:
            _check_readable("DATASET", wanted)
        elif wanted in ("auto", "mnist") and mnist_dir:
            _check_readable("MNIST_DIR", mnist_dir)
        return resolve_dataset(wanted, mnist_dir, cache, size=size), ""
    check_no_pattern(setting, uri)
    folder = _copy_of(setting, uri)
    uri = uri.rstrip("/")
    given = {setting: str(folder)}
    try:
        found = resolve_dataset(
            given.get("DATASET", wanted), given.get("MNIST_DIR"), cache, size=size
        )
    except DataError as error:
        raise DataError(str(error).replace(str(folder), uri)) from error
    source = found.source.replace(str(folder), uri)
    if folder.is_file():
        return replace(found, source=source), uri.rpartition("/")[0]
    below = found.location.resolve().relative_to(folder.resolve())
    return replace(found, source=source), "/".join((uri, *below.parts))


def _check_readable(setting: str, path: str) -> None:
    """Raises ConfigError when the folder, if there is one, cannot be looked into."""
    location = local_folder(setting, path)
    try:
        if location.is_dir():
            next(location.iterdir(), None)
    except OSError as error:
        raise ConfigError(f"{setting}={path}: cannot be accessed ({_reason(error)})") from error


def _copy_of(setting: str, uri: str) -> Path:
    """Returns a path of the URI's name, with a copy that lives as long as this process."""
    parent = Path(tempfile.mkdtemp(prefix="data-"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    folder = parent / uri.rstrip("/").rpartition("/")[2]
    try:
        stores.check_form(uri)
        data_copies.download_data(uri, folder)
    except stores.StoreError as error:
        raise ConfigError(f"{setting}={error}") from error
    return folder
