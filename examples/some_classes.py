"""`python -m examples.some_classes DATASET CLASSES FILE.npz`: some classes of a data set, as one.

A base that is trained on it knows nothing of the other classes. Nothing is downloaded.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from data.errors import ConfigError, disk_errors
from data.splits import Split
from examples.reuse.inputs import find_data
from examples.reuse.tasks import classes_of
from pipeline.running.exit_status import tells_wrong_settings


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.some_classes", description=__doc__)
    parser.add_argument("dataset", metavar="DATASET", help="mnist, a folder or file of your own")
    parser.add_argument("classes", metavar="CLASSES", help="their names, as 0,1,2,3,4")
    parser.add_argument("file", metavar="FILE", type=Path, help="where to, with .npz at its end")
    args = parser.parse_args(arguments)
    if args.file.suffix != ".npz":
        raise ConfigError(f"{args.file}: expected a file name that ends with .npz")
    dataset = find_data(args.dataset, os.environ)
    task = classes_of(dataset, [name.strip() for name in args.classes.split(",")])
    arrays, readers = {}, dataset.open()
    for split, name in ((Split.TRAIN, "train"), (Split.EVAL, "test")):
        images, labels = readers[split].read(0, len(readers[split]))
        kept, new_labels = task.ask(images, labels, np.random.default_rng(0))
        arrays |= {f"x_{name}": kept, f"y_{name}": new_labels}
    with disk_errors("write", args.file):
        args.file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(args.file, **arrays)
    counts = len(arrays["y_train"]), len(arrays["y_test"])
    print(f"{args.file}: {counts[0]:,} training and {counts[1]:,} test images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
