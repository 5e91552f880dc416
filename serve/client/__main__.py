"""`python -m serve.client FILE...`: has images told by the device models, or by a server."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from data.dataset import as_features
from data.errors import ConfigError, DataError
from data.texts import check_texts
from pipeline.running.console import library_output_to
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.storage import locations
from serve.client import images, local, package, picture, remote, table
from serve.client.answers import Answers
from serve.client.images import Seen
from serve.client.package import Package

_SETTINGS = ("FILE", "SERVER", "OUTPUT", "DATASET", "PUSH_TO", "IMAGE_SIZE")
_LIMIT, _MOST = 20, 1000  # images
_PICTURE = "predictions.png"


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Runs the command as its arguments and the environment say; returns the exit status."""
    options = _options(arguments)
    check_texts(os.environ, _SETTINGS)
    paths = options.files or [os.environ.get("FILE") or ""]
    if not all(paths):
        raise ConfigError("FILE is not set: give an image, a folder of images or an IDX file")
    if options.server:
        remote.check_address(options.server)
    found = package.find(os.environ, bool(options.server))
    seen = images.read(paths, found.task, options.limit)
    if not seen.images:
        raise DataError(next(iter(seen.left_out), f"{paths[0]}: there is no image in it"))
    with library_output_to(Path(os.devnull)):  # LiteRT tells of its delegate
        models = _ask(found, options.server, seen.images)
    console = Console(highlight=False)
    where = options.server or str(found.version)
    console.print(f"{found.task.name}, by {where}", soft_wrap=True, markup=False)
    table.show(seen.images, models, found.task, console)
    for sentence in (*seen.left_out, _how_seen(found)):
        console.print(sentence, soft_wrap=True, markup=False)
    path = Path(options.picture) if options.picture else _in_output(found)
    picture.write(path, seen.images, models, found.task)
    console.print(str(path), soft_wrap=True, markup=False)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serve.client", description=__doc__)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="images, folders of images, IDX files of images (default: the variable FILE)",
    )
    parser.add_argument(
        "--server",
        metavar="URL",
        default=os.environ.get("SERVER") or "",
        help="a model server to ask, as http://127.0.0.1:8080 (default: the variable SERVER)",
    )
    parser.add_argument("--limit", type=_limit, default=_LIMIT, help=f"images to take ({_LIMIT})")
    parser.add_argument("--picture", help=f"where the picture goes (OUTPUT/{_PICTURE})")
    return parser.parse_args(arguments)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST}")
    return int(text)


def _ask(found: Package, server: str, seen: tuple[Seen, ...]) -> tuple[Answers, ...]:
    floats = as_features(np.stack([image.pixels for image in seen]))
    if server:
        return (remote.ask(server, found.task, floats),)
    return local.ask(found, floats)


def _how_seen(found: Package) -> str:
    height, width, _ = found.task.image_shape
    if found.task.drawing:
        return f"drawings are turned round, scaled and centred in {height}x{width} as needed"
    return f"images are resized to {height}x{width}, and otherwise taken as they are"


def _in_output(found: Package) -> Path:
    """Returns where the picture goes; without OUTPUT and models, into the project's."""
    folder = found.output if found.output.is_absolute() else Path.cwd() / found.output
    locations.make_writable("OUTPUT", folder)
    return folder / _PICTURE


if __name__ == "__main__":
    sys.exit(main())
