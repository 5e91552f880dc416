"""Settings that are lists and sizes: how their text becomes a value, or a ConfigError."""

from collections.abc import Mapping
from pathlib import Path

from data.errors import ConfigError, shown
from data.task import parse_image_size
from data.texts import number
from modules.export.recipes import RECIPES
from modules.inference.runtimes.catalogue import RUNTIMES, STANDARD

_MAX_BATCH, _MAX_BATCH_SIZES = 4096, 8  # the network is compiled for each


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


def runtimes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the chosen runtimes in the order of the catalogue, () for `none`.

    By default these are all: what is not installed is only told. XNNPACK, which the others are
    compared with, is always among them.

    Raises:
      ConfigError: there is no such runtime, or one that was named is not installed.
    """
    text = environment.get("RUNTIMES") or ",".join(RUNTIMES)
    chosen = {name.strip() for name in text.split(",")}
    if chosen == {"none"}:
        return ()
    if unknown := sorted(chosen - RUNTIMES.keys()):
        raise ConfigError(
            f"RUNTIMES={shown(text)}: there is no {shown(unknown[0])!r}; expected none, or names "
            f"out of {', '.join(RUNTIMES)}, separated by commas"
        )
    for name in RUNTIMES if environment.get("RUNTIMES") else ():
        if name in chosen and (missing := RUNTIMES[name].missing()):
            raise ConfigError(f"RUNTIMES={shown(text)}: {missing}; or leave it out")
    return tuple(name for name in RUNTIMES if name in chosen | {STANDARD})


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


def personalize(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns head and optimizer of PERSONALIZE, () when it is not set.

    Raises:
      ConfigError: there is no such head or optimizer.
    """
    text = environment.get("PERSONALIZE") or ""
    if not text:
        return ()
    from modules.personal import loading, optimizers
    from modules.personal.options import is_layers  # here: JAX takes its seconds

    head, separator, optimizer = (part.strip() for part in text.partition(","))
    if not separator:
        optimizer = "sgd"
    try:
        optimizers.make_optimizer(optimizer, None)
        if head.endswith(".py"):
            head = str(Path(head).expanduser().absolute())
            loading.run_file(head)
        elif head not in loading.HEADS and not is_layers(head):
            loading.load_head(head, 1, 1)
    except ConfigError as error:
        raise ConfigError(f"PERSONALIZE={shown(text)}: {error}") from error
    return head, optimizer
