"""The one kind of error that this package raises."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DataError(ValueError):
    """Data that is missing, damaged or not what was expected; the message says what to do."""


@contextmanager
def disk_errors(action: str, path: Path) -> Iterator[None]:
    """Turns an operating system error while doing `action` (a verb) to `path` into a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot {action} {path}: {error.strerror or error}; "
            "check that the path exists, its permissions and the free space"
        ) from error
