"""`python -m modules.inspection FILE [--json]`: says what a SavedModel or a `.tflite` offers."""

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator

from rich.console import Console

from data.errors import FAILED, WRONG_SETTING, ConfigError, DataError, shown
from modules.inspection import opening, tables

_SWITCH = {"": False, "0": False, "1": True}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status: WRONG_SETTING when there is nothing to tell."""
    parser = argparse.ArgumentParser(prog="python -m modules.inspection", description=__doc__)
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default=os.environ.get("FILE") or "",
        help="the folder of a SavedModel, or a .tflite file (default: the variable FILE)",
    )
    parser.add_argument(
        "--json", action="store_true", help="for programs (default: whether JSON is 1)"
    )
    options = parser.parse_args(arguments)
    try:
        as_json = options.json or _switch("JSON")
        if not options.file:
            raise ConfigError("FILE is not set: give a SavedModel's folder or a .tflite, FILE=path")
        with _libraries_silent():
            report = opening.inspect(options.file)
        if as_json:
            print(json.dumps(dataclasses.asdict(report), indent=2))
        else:
            tables.show(report, Console(highlight=False))
        sys.stdout.flush()
    except (ConfigError, DataError) as error:
        print(f"error: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return WRONG_SETTING
    except BrokenPipeError:
        # So Python does not tell of it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return 0


@contextlib.contextmanager
def _libraries_silent() -> Iterator[None]:
    """Sends to nowhere what C++ code prints, as TensorFlow does when it is imported."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    try:
        with open(os.devnull, "w") as nowhere:
            for descriptor, _ in saved:
                os.dup2(nowhere.fileno(), descriptor)
        yield
    finally:
        for descriptor, copy in saved:
            os.dup2(copy, descriptor)
            os.close(copy)


def _switch(name: str) -> bool:
    text = os.environ.get(name) or ""
    if text not in _SWITCH:
        raise ConfigError(f"{name}={shown(text)}: expected 0 or 1")
    return _SWITCH[text]


if __name__ == "__main__":
    sys.exit(main())
