"""`python -m data DATASET`: gets and checks a data set, and says in one line what it is."""

import argparse
import sys

from data.cache import add_cache_dir
from data.errors import FAILED, DataError
from data.resolve import resolve_dataset


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status: 1 when the data set cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m data", description=__doc__)
    parser.add_argument("dataset", metavar="DATASET", help="auto, mnist, digits or a folder")
    parser.add_argument("--mnist-dir", help="a folder with MNIST's four IDX files")
    add_cache_dir(parser)
    options = parser.parse_args(arguments)
    try:
        files = resolve_dataset(options.dataset, options.mnist_dir, options.cache_dir)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    print(
        f"{files.name}: {files.train_examples} training and {files.eval_examples} eval images, "
        f"{files.num_classes} classes; {files.source}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
