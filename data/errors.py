"""What commands tell users that something of theirs is wrong, and with what status they end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A command that does all that it should ends with 0.
FAILED, WRONG_SETTING, NOT_BLESSED = 1, 2, 3

_LONGEST_SHOWN, _SHOWN_START, _SHOWN_END = 200, 100, 20


class DataError(ValueError):
    """Data that is missing, damaged or not what was expected; the message says what to do."""


class ConfigError(ValueError):
    """A wrong setting; the message names it, what was expected and what to do."""


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


def shown(text: str) -> str:
    """Returns a user's text as a message shows it: not all of a very long one."""
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[:_SHOWN_START]}...{text[-_SHOWN_END:]}"
