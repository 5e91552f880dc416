"""`python -m data DATASET`: gets and checks a data set, and says in one line what it is."""

import argparse
import sys

from data.cache import add_cache_dir
from data.errors import FAILED, DataError
from data.resolve import resolve_dataset
from data.task import parse_image_size


def _image_size(text: str | None) -> tuple[int, int] | None:
    try:
        return parse_image_size(text) if text else None
    except ValueError as error:
        raise DataError(f"--image-size: {error}") from error


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status: 1 when the data set cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m data", description=__doc__)
    parser.add_argument(
        "dataset",
        metavar="DATASET",
        help="auto, digits, mnist or another name of the catalogue, a folder or file",
    )
    parser.add_argument("--mnist-dir", help="a folder with MNIST's four IDX files")
    parser.add_argument(
        "--image-size", metavar="SIZE", help="what images are resized to, as 64 or 48x64"
    )
    add_cache_dir(parser)
    options = parser.parse_args(arguments)
    try:
        size = _image_size(options.image_size)
        dataset = resolve_dataset(options.dataset, options.mnist_dir, options.cache_dir, size=size)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    height, width, channels = dataset.task.image_shape
    print(
        f"{dataset.name}: {dataset.train_examples} training and {dataset.eval_examples} test "
        f"images of {height}x{width}, {'grey' if channels == 1 else 'RGB'}, "
        f"{dataset.task.num_classes} classes; {dataset.source}"
    )
    for note in dataset.notes:
        print(f"  note: {note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
