"""`python -m data.growth DATASET TIMES FOLDER`: a data set TIMES as large, for trying scales.

Every image is a real one of DATASET: first all of them as they are, then all again shifted, rotated
and scaled as in `data.hard`, each time by other amounts. The same arguments give the same bytes.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data import dataset, hard
from data.cache import add_cache_dir
from data.errors import FAILED, DataError, disk_errors
from data.forms import idx
from data.resolve import resolve_dataset

_AT_ONCE = 10_000  # images, some 200 MB while they are being warped


def grow(files: dataset.DatasetFiles, times: int, folder: Path) -> dataset.DatasetFiles:
    """Writes plain IDX files with `times` as many images of each split, and returns them checked.

    Args:
        files: what to start from.
        times: at least 1, which gives the same images again.
        folder: where to; made if need be.

    Raises:
        DataError: `times` is less than 1, or the disk refuses.
    """
    if times < 1:
        raise DataError(f"cannot make {times} times as many images; expected at least 1")
    with disk_errors("make", folder):
        folder.mkdir(parents=True, exist_ok=True)
    pairs = [files.paths[:2], files.paths[2:]]
    for (images, labels), names in zip(pairs, np.reshape(dataset.FILE_NAMES, (2, 2)), strict=True):
        count = idx.read_header(images).shape[0]
        idx.write_idx_parts(
            folder / names[0],
            (times * count, *dataset.IMAGE_SHAPE),
            _copies(images, labels, count, times),
        )
        classes = idx.read_range(labels, 0, count)
        idx.write_idx_parts(folder / names[1], (times * count,), (classes for _ in range(times)))
    return dataset.open_folder(folder, num_classes=files.num_classes)


def _copies(images: Path, labels: Path, count: int, times: int) -> Iterator[np.ndarray]:
    """Yields the images of a split, and their further copies, as uint8[N, 28, 28]."""
    for copy in range(times):
        for start in range(0, count, _AT_ONCE):
            stop = min(start + _AT_ONCE, count)
            pixels, _ = dataset.read_split_range(images, labels, start, stop)
            if copy:  # 0 is the seed of the hard set, which must stay unknown to the training
                pixels = hard.make_hard(pixels, start, seed=copy)
            levels = np.rint(pixels * 255).astype(np.uint8)
            yield levels.reshape(-1, *dataset.IMAGE_SHAPE)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status: 1 when the data cannot be had or written."""
    parser = argparse.ArgumentParser(prog="python -m data.growth", description=__doc__)
    parser.add_argument("dataset", metavar="DATASET", help="auto, mnist, digits or a folder")
    parser.add_argument("times", metavar="TIMES", type=int, help="at least 1")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--mnist-dir", help="a folder with MNIST's four IDX files")
    add_cache_dir(parser)
    options = parser.parse_args(arguments)
    try:
        files = resolve_dataset(options.dataset, options.mnist_dir, options.cache_dir)
        grown = grow(files, options.times, options.folder)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    print(
        f"{options.folder}: {grown.train_examples:,} training and {grown.eval_examples:,} test "
        f"images of {files.name}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
