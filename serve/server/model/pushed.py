"""What lies in `serving/`: versions, whether they are whole, and one of them on this disk."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data.files import file_sha256
from pipeline.storage import store_copies, stores, versions
from pipeline.storage.version_writer import ASIDE

SAVED_MODEL = "saved_model.pb"


class RefusedError(Exception):
    """A version is not served; the message says why."""


@dataclass(frozen=True)
class Version:
    """A version as it lies there now.

    Attributes:
      name: of its folder, a number.
      location: path or URI of its folder.
      files: for each file, by its path in the folder, a text that is another once it changed.
    """

    name: str
    location: str
    files: Mapping[str, str]

    @property
    def state(self) -> str:
        """What is another once anything of the version changed."""
        files = sorted(file for file in self.files.items() if not file[0].startswith(ASIDE))
        return hashlib.sha256(repr(files).encode()).hexdigest()

    @property
    def is_in_work(self) -> bool:
        """Whether the pipeline is writing it into an object store, or removing it from there."""
        return not self.has_record and any(path.startswith(ASIDE) for path in self.files)

    @property
    def has_record(self) -> bool:
        """Whether it says itself what belongs to it, as those that the pipeline pushed do."""
        return versions.RECORD in self.files

    @property
    def has_model(self) -> bool:
        """Whether there is a model in it that could be loaded."""
        return SAVED_MODEL in self.files and not self.is_in_work


def find(folder: str) -> list[Version]:
    """Returns the versions in a folder, whole or not, the newest first.

    Args:
      folder: a path or a URI; it need not exist.

    Raises:
      pipeline.storage.stores.StoreError: it cannot be listed.
    """
    found: dict[str, dict[str, str]] = {}
    for path, state in stores.states(folder).items():
        name, _, inner = path.partition("/")
        if inner and versions.is_version(name):
            found.setdefault(name, {})[inner] = state
    newest_first = sorted(found, key=lambda name: (int(name), name), reverse=True)
    return [Version(name, versions.join(folder, name), found[name]) for name in newest_first]


@contextlib.contextmanager
def on_disk(version: Version) -> Iterator[Path]:
    """Gives a folder with the version's files, each checked against its record if it has one.

    From an object store they are copied into a folder of this user's alone, which goes afterwards.

    Raises:
      RefusedError: they are not those of the record, or cannot be read.
    """
    for path in version.files:
        if ".." in PurePosixPath(path).parts or path.startswith("/"):
            raise RefusedError(f"{path!r} is no path in the version's own folder")
    try:
        record = versions.read(version.location)
        if version.has_record and record is None:
            raise RefusedError(f"what {versions.RECORD} names is not all there")
        if stores.is_uri(version.location):
            with tempfile.TemporaryDirectory(prefix="serving-") as copies:
                store_copies.download_files(version.location, version.files, Path(copies))
                _check(Path(copies), record)
                yield Path(copies)
        else:
            _check(Path(version.location), record)
            yield Path(version.location)
    except OSError as error:
        raise RefusedError(f"cannot be read ({error})") from error


def _check(folder: Path, record: versions.Record | None) -> None:
    """Raises RefusedError when a file is not the one that was pushed."""
    if record is None:
        return
    if SAVED_MODEL not in record.files:
        raise RefusedError(f"{versions.RECORD} names no {SAVED_MODEL}")
    for path, file in record.files.items():
        if file_sha256(folder / path) != file.sha256:
            raise RefusedError(f"{path}: its SHA-256 is not the one in {versions.RECORD}")
