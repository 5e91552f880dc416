"""Folders in object stores, by their URI: whether they can be used, and what is in them.

Credentials and endpoints are found by the libraries in their own ways: environment variables such
as AWS_ENDPOINT_URL, ~/.aws, Google's application default credentials.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from data.files import written_whole

# A listing that is kept would hide what another process has written since.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        "use_listings_cache": False,
        "config_kwargs": {"connect_timeout": 10, "retries": {"max_attempts": 2}},
    },
    "gs": {"use_listings_cache": False},
    "file": {"auto_mkdir": True},
}
SCHEMES = tuple(_OPTIONS)
# What the libraries tell of a file that changes with its content: on disk, in S3, in Google's.
_STATE = ("size", "mtime", "ETag", "etag", "LastModified", "updated", "generation")
_CHECK_SECONDS = 30
_WRITE_CHECK = ".write-check"


class StoreError(OSError):
    """A URI cannot be used; the message names it and says why."""


def is_uri(location: str) -> bool:
    """Says whether this is a URI rather than a path, known or not."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", location) is not None


def check_form(uri: str) -> None:
    """Raises StoreError when the scheme is unknown or the bucket is missing."""
    scheme, _, path = uri.partition("://")
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise StoreError(f"{uri}: there is no {scheme}:// here; expected one of {known}, or a path")
    if scheme == "file" and not path.startswith("/"):
        raise StoreError(f"{uri}: expected an absolute path, as file:///folder")
    if not path.strip("/") or (scheme != "file" and path.startswith("/")):
        raise StoreError(f"{uri}: expected the name of a bucket, as {scheme}://bucket/folder")


def opened(location: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Returns the file system of a URI, or path, and the path in it, without a slash at its end."""
    if not is_uri(location):  # a path may hold all that has a meaning in a URI
        return LocalFileSystem(**_OPTIONS["file"]), os.path.abspath(location)
    scheme = location.partition("://")[0]
    file_system, path = fsspec.url_to_fs(location, **_OPTIONS[scheme])
    return file_system, path.rstrip("/")


def local_path(location: str) -> Path | None:
    """Returns the path that a location on disk has, given as such or as file://; else None."""
    file_system, path = opened(location)
    return Path(path) if isinstance(file_system, LocalFileSystem) else None


def read_text(location: str) -> str | None:
    """Returns what a file, given by its path or URI, holds; None when there is none."""
    file_system, path = opened(location)
    return file_system.read_text(path, "utf-8") if file_system.exists(path) else None


def write_text(location: str, text: str) -> None:
    """Writes a file, given by its path or URI, so that readers see the old text or the new one."""
    file_system, path = opened(location)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(path, text.encode())
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as file:
        file.write(text.encode())


def check_writable(uri: str) -> None:
    """Writes a small file into the folder and removes it.

    Raises:
      StoreError: that failed, or did not come to an end.
    """

    def write() -> None:
        file_system, path = opened(uri)
        # Always the same: what a check leaves that is killed goes with the next.
        probe = f"{path}/{_WRITE_CHECK}"
        file_system.pipe_file(probe, b"")
        with contextlib.suppress(FileNotFoundError):  # of another check at the same time
            file_system.rm_file(probe)

    _attempted("write", uri, write)


def names(uri: str) -> list[str]:
    """Returns the names of the files and folders right in a folder.

    Raises:
      StoreError: it cannot be listed, or there is none.
    """

    def listed() -> list[str]:
        file_system, path = opened(uri)
        found = file_system.ls(path, detail=False)
        return sorted(os.path.basename(name.rstrip("/")) for name in found)

    return _attempted("list", uri, listed)


def is_file(uri: str) -> bool:
    """Returns whether a file is there, rather than a folder or nothing; raises StoreError."""

    def asked() -> bool:
        file_system, path = opened(uri)
        return file_system.isfile(path)

    return _attempted("look", uri, asked)


def find(uri: str) -> dict[str, int]:
    """Returns the sizes in bytes of all files below a folder, by their path in it.

    Raises:
      StoreError: it cannot be listed.
    """

    def found() -> dict[str, int]:
        file_system, path = opened(uri)
        return {
            name.removeprefix(f"{path}/"): facts["size"]
            for name, facts in file_system.find(path, detail=True).items()
            if facts["type"] == "file"
        }

    return _attempted("list", uri, found)


def states(folder: str) -> dict[str, str]:
    """Returns a text for every file below a folder, by its path, that is another once it changed.

    Args:
      folder: a path or a URI; without one, nothing is found.

    Raises:
      StoreError: it cannot be listed.
    """

    def found() -> dict[str, str]:
        file_system, path = opened(folder)
        return {
            name.removeprefix(f"{path}/"): " ".join(str(facts.get(key, "")) for key in _STATE)
            for name, facts in file_system.find(path, detail=True).items()
            if facts["type"] == "file"
        }

    return _attempted("list", folder, found)


def _attempted(action: str, uri: str, function: Callable[[], Any]) -> Any:
    """Returns what `function` does within _CHECK_SECONDS, or raises StoreError."""
    future: Future = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    # A daemon, since a library that waits for an answer cannot be interrupted.
    threading.Thread(target=work, daemon=True).start()
    with explained(action, uri):
        return future.result(_CHECK_SECONDS)


@contextlib.contextmanager
def explained(action: str, uri: str) -> Iterator[None]:
    """Turns the libraries' errors into a StoreError that says what to check."""
    try:
        yield
    except Exception as error:  # each store's library has its own
        reason = _reason(error)
        raise StoreError(
            f"{uri}: cannot {action} there ({reason}); check that the bucket exists, the address "
            "of the store, the credentials and their permissions"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_CHECK_SECONDS} s"
    text = " ".join(str(error).split())
    if isinstance(error, FileNotFoundError):
        return f"not found: {text}"
    return text or type(error).__name__


def remove(uri: str) -> None:
    """Removes a file, or a folder with all that is in it; nothing there is no error."""
    file_system, path = opened(uri)
    if file_system.exists(path):
        file_system.rm(path, recursive=True)
