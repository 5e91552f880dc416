"""How the text of a setting becomes a value: what every reader of settings shares."""

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from data.errors import ConfigError, shown
from data.task import parse_image_size
from modules.export.recipes import RECIPES

# As people write them: int() and float() also take other scripts' digits, spaces and underscores.
_FORMS = {
    int: re.compile(r"\d+", re.ASCII),
    float: re.compile(r"(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII),
}
_LONGEST_NUMBER = 30
# What no setting needs, and what would end a line of a log or be no text in a file.
_CONTROL = ("Cc", "Cs", "Zl", "Zp")
_MAX_BATCH, _MAX_BATCH_SIZES = 4096, 8  # the network is compiled for each


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


def recipes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the chosen recipes in the order of the catalogue, or raises ConfigError."""
    text = environment.get("RECIPES") or ",".join(RECIPES)
    chosen = {name.strip() for name in text.split(",")}
    if unknown := sorted(chosen - RECIPES.keys()):
        raise ConfigError(
            f"RECIPES={shown(text)}: there is no {shown(unknown[0])!r}; expected names out of "
            f"{', '.join(RECIPES)}, separated by commas"
        )
    return tuple(name for name in RECIPES if name in chosen)


def batch_sizes(environment: Mapping[str, str]) -> tuple[int, ...]:
    """Returns the batch sizes in rising order, or raises ConfigError."""
    text = environment.get("BATCH_SIZES") or ""
    if not text:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(parts) or len(parts) > _MAX_BATCH_SIZES:
        raise ConfigError(
            f"BATCH_SIZES={shown(text)}: expected at most {_MAX_BATCH_SIZES} numbers separated by "
            "commas, as 1,16,128"
        )
    sizes = {number({"BATCH_SIZES": part}, "BATCH_SIZES", int, 0, 1, _MAX_BATCH) for part in parts}
    return tuple(sorted(sizes))


def image_size(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Returns the height and width that images are resized to, or raises ConfigError."""
    text = environment.get("IMAGE_SIZE") or ""
    try:
        return parse_image_size(text) if text else None
    except ValueError as error:
        raise ConfigError(f"IMAGE_SIZE={shown(text)}: {error}") from error
