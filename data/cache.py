"""Where downloads and the offline digits are kept."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from data.errors import DataError
from data.files import PROJECT_ROOT

IN_PROJECT = PROJECT_ROOT / "data" / "cache"
_NAME = "mnist-tfx-jax"


def default_folders() -> list[Path]:
    """The folders that may be the cache when none was named: the project's, the platform's."""
    home = os.path.expanduser("~")  # as it is for a user who has none
    if sys.platform == "darwin":
        base = f"{home}/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or f"{home}/.cache"
    # "All paths must be absolute": https://specifications.freedesktop.org/basedir-spec/latest/
    return [IN_PROJECT, *([Path(base, _NAME)] if os.path.isabs(base) else [])]


def named() -> Path | None:
    """The cache that the setting DATA_CACHE names, for commands that read no other settings."""
    folder = os.environ.get("DATA_CACHE")
    return Path(folder) if folder else None


def add_cache_dir(parser: argparse.ArgumentParser) -> None:
    """Adds the option `--cache-dir` to a command, which is DATA_CACHE where it is not given."""
    words = "for downloads (default: DATA_CACHE, or data/cache, or the platform's cache folder)"
    parser.add_argument("--cache-dir", type=Path, default=named(), help=words)


def in_cache(
    name: str,
    cache_dir: Path | None,
    is_whole: Callable[[Path], bool],
    make: Callable[[Path], None],
) -> Path:
    """Returns the folder `name` of the cache, which `make` makes when there is none that is whole.

    Args:
        name: of the data set.
        cache_dir: the cache; if None, `default_folders`, of which the second is for a project that
            cannot be written. A folder that is whole is used, even where it cannot be written.
        is_whole: whether a folder holds the data set.
        make: takes the folder to be filled.

    Raises:
        DataError: no cache can be written; and whatever `make` raises.
    """
    roots = default_folders() if cache_dir is None else [cache_dir]
    for root in roots:
        if is_whole(root / name):
            return root / name
    refusals = []
    for root in roots:
        refusal = _refusal(root) or ((root / name).exists() and _refusal(root / name))
        if not refusal:
            make(root / name)
            return root / name
        refusals.append(f"{root} ({refusal})")
    raise DataError(
        f"{name}: cannot write to {' or '.join(refusals)}; set DATA_CACHE to a folder for it that "
        "can be written"
    )


def _refusal(folder: Path) -> str | None:
    """Makes the folder if need be, and says why no file can be made in it, if so."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)
