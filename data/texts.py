"""How the text of a setting becomes a value, or a ConfigError."""

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from data.errors import ConfigError, shown

# As people write them: int() and float() also take other scripts' digits, spaces and underscores.
_FORMS = {
    int: re.compile(r"\d+", re.ASCII),
    float: re.compile(r"(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII),
}
_LONGEST_NUMBER = 30
# What no setting needs, and what would end a line of a log or be no text in a file.
_CONTROL = ("Cc", "Cs", "Zl", "Zp")


def check_texts(environment: Mapping[str, str], names: tuple[str, ...]) -> None:
    """Raises ConfigError when one of these settings holds a control character or no valid text."""
    for name in names:
        text = environment.get(name) or ""
        if any(unicodedata.category(character) in _CONTROL for character in text):
            raise ConfigError(
                f"{name}={shown(ascii(text))}: expected text in UTF-8 without control characters, "
                "such as the end of a line"
            )


def number(
    environment: Mapping[str, str],
    name: str,
    kind: type,
    default: float | None,
    minimum: float,
    maximum: float,
) -> Any:
    """Returns a setting as a number within [minimum, maximum], or raises ConfigError."""
    text = environment.get(name)
    if not text:
        return default
    is_number = len(text) <= _LONGEST_NUMBER and _FORMS[kind].fullmatch(text)
    value = kind(text) if is_number else math.nan
    if not minimum <= value <= maximum:
        what = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{name}={shown(text)}: expected {what} from {minimum} to {maximum}")
    return value


def switch(environment: Mapping[str, str], name: str, default: bool) -> bool:
    """Returns whether a setting is 1 rather than 0, or raises ConfigError."""
    return bool(number(environment, name, int, int(default), 0, 1))
