"""Makes a data set TIMES as large: `python -m benchmarks.larger_data DATASET TIMES FOLDER`.

Every image is a real one of DATASET: first all of them as they are, then all again shifted, rotated
and scaled as in `data.hard`, each time by other amounts. The same arguments give the same bytes.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data import hard
from data.cache import add_cache_dir
from data.dataset import Dataset, range_size, ranges
from data.errors import FAILED, DataError, disk_errors
from data.finding.opening import Expected, open_data
from data.forms import idx
from data.forms.idx_names import FILE_NAMES
from data.forms.reader import Reader
from data.resolve import resolve_dataset
from data.splits import Split


def grow(dataset: Dataset, times: int, folder: Path) -> Dataset:
    """Writes plain IDX files with `times` as many images of each split, and returns them checked.

    Args:
        dataset: what to start from.
        times: at least 1, which gives the same images again.
        folder: where to; made if need be.

    Raises:
        DataError: `times` is less than 1, or the disk refuses.
    """
    if times < 1:
        raise DataError(f"cannot make {times} times as many images; expected at least 1")
    with disk_errors("make", folder):
        folder.mkdir(parents=True, exist_ok=True)
    height, width, channels = dataset.task.image_shape
    shape = (height, width) if channels == 1 else (height, width, channels)
    splits, size = dataset.open(), range_size(dataset.task)
    for split, names in ((Split.TRAIN, FILE_NAMES[:2]), (Split.EVAL, FILE_NAMES[2:])):
        reader = splits[split]
        images = (part.reshape(-1, *shape) for part in _copies(reader, size, times))
        idx.write_idx_parts(folder / names[0], (times * len(reader), *shape), images)
        labels = reader.labels().astype(np.int32)
        idx.write_idx_parts(
            folder / names[1], (times * len(reader),), (labels for _ in range(times)), np.int32
        )
    return open_data(
        folder, expected=Expected(dataset.task, tuple(range(dataset.task.num_classes)))
    )


def _copies(reader: Reader, size: int, times: int) -> Iterator[np.ndarray]:
    """Yields the images of a split, and their further copies, as uint8[N, H, W, C]."""
    for copy in range(times):
        for start, stop in ranges(len(reader), size):
            levels, _ = reader.read(start, stop)
            if copy:  # 0 is the seed of the hard set, which must stay unknown to the training
                moved = hard.make_hard(levels / np.float32(255), start, seed=copy)
                levels = np.rint(moved * 255).astype(np.uint8)
            yield levels


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status: 1 when the data cannot be had or written."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.larger_data", description=__doc__)
    parser.add_argument("dataset", metavar="DATASET", help="as for `python -m data`")
    parser.add_argument("times", metavar="TIMES", type=int, help="at least 1")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--mnist-dir", help="a folder with MNIST's four IDX files")
    add_cache_dir(parser)
    options = parser.parse_args(arguments)
    try:
        dataset = resolve_dataset(options.dataset, options.mnist_dir, options.cache_dir)
        grown = grow(dataset, options.times, options.folder)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    print(
        f"{options.folder}: {grown.train_examples:,} training and {grown.eval_examples:,} test "
        f"images of {dataset.name}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
