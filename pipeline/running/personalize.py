"""Makes a model that is trained on the device: `make personalize`."""

import argparse
import math
import os
import sys
import tempfile
from pathlib import Path

from data.errors import FAILED, ConfigError, shown
from data.splits import Split
from pipeline.config import PipelineConfig
from pipeline.running import console
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.settings import config_from_environment
from pipeline.storage import locations, stores, versions

_LABELLED = 5000  # training images for a fresh head, the replay and the ranges of integers
_KERAS = "keras:"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.running.personalize", description=__doc__
    )
    add = parser.add_argument
    add("--base", default="", help="a SavedModel; keras:NAME; the newest that was pushed")
    add("--signature", default="", help="of a SavedModel that is not of this project")
    add("--weights", default="imagenet", help="of keras:NAME: imagenet, random or a file")
    add("--recipe", default="float32", help="of the base, as in RECIPES")
    add(
        "--head",
        "--train",
        dest="trains",
        default="softmax",
        metavar="HEAD",
        help="softmax, mlp, a Python file; last:N or all for layers of the network itself",
    )
    add("--num_classes", type=int, help="outputs; those beyond the data set's are for new classes")
    add("--train_batch_size", type=int, default=20)
    add("--optimizer", default="sgd", help="sgd, momentum or adam")
    add("--learning_rate", type=float)
    add("--out", help="folder for the package (default: personal/ under OUTPUT)")
    return parser


@tells_wrong_settings
def main() -> int:
    """Makes what the command line says, and tells what came of it; returns the exit status."""
    args = _arguments().parse_args()
    if not 1 <= args.train_batch_size <= 1024:
        raise ConfigError(
            f"--train_batch_size {args.train_batch_size}: expected a number from 1 to 1024"
        )
    if args.learning_rate is not None and not 0 < args.learning_rate < math.inf:
        raise ConfigError(f"--learning_rate {args.learning_rate}: expected a number above 0")
    config = config_from_environment(os.environ)
    task = config.dataset.task
    classes = task.num_classes if args.num_classes is None else args.num_classes
    if not task.num_classes <= classes <= task.num_classes + 1000:
        raise ConfigError(
            f"--num_classes {classes}: expected at least {task.num_classes}, as the data set "
            f"{task.name} has"
        )
    out = Path(args.out or config.output / "personal" / "new").expanduser().absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: expected a folder that is not there, or empty")
    with console.library_output_to(Path(os.devnull)):
        return _make(args, config, classes - task.num_classes, out)


def _make(args: argparse.Namespace, config: PipelineConfig, spare: int, out: Path) -> int:
    # Here: JAX and TensorFlow take their seconds.
    from modules.export.graph.flatbuffer import ConversionError
    from modules.export.personalize import package

    options = package.Options(
        args.trains, args.optimizer, args.learning_rate, args.train_batch_size, spare,
        config.train.seed,
    )  # fmt: skip
    rows = min(_LABELLED, config.dataset.train_examples)
    images, labels = config.dataset.features(Split.TRAIN, 0, rows)
    with tempfile.TemporaryDirectory() as folder:
        try:
            base = _base(args, config, options, folder, images[::10])
            labelled = None
            if not args.base.startswith(_KERAS):
                labelled = base.features(images), labels
            out.mkdir(parents=True, exist_ok=True)
            built = package.write(
                out, base, config.dataset.task, Path(config.model).stem, options, labelled
            )
        except ConversionError as error:
            print(f"error: {error}", file=sys.stderr)
            return FAILED
    print(
        f"{len(built.content):,} bytes, {built.base_bytes:,} of them the base; ten steps are "
        f"within {built.worst_difference:.1g} of JAX"
    )
    print(f"personal model: {out}")
    return 0


def _base(args, config, options, folder, images):
    from modules.export.personalize import bases
    from modules.export.recipes import RECIPES
    from modules.export.reusable.reading import read_trained
    from modules.models import loading

    if args.recipe not in RECIPES or RECIPES[args.recipe].integer_io:
        raise ConfigError(
            f"--recipe {shown(args.recipe)}: expected one of "
            f"{', '.join(name for name in RECIPES if not RECIPES[name].integer_io)}"
        )
    task = config.dataset.task
    if args.base.startswith(_KERAS):
        weights = None if args.weights == "random" else args.weights
        height, width, _ = task.image_shape
        if height != width:
            raise ConfigError(f"{args.base}: expected square images, not {height}x{width}")
        return bases.of_keras_application(args.base.removeprefix(_KERAS), weights, height, folder)
    saved = args.base or _newest(config)
    saved = str(locations.local_folder("--base", saved))
    if args.signature:
        return bases.of_saved_model(saved, args.signature, folder)
    trained = read_trained(saved, loading.load(config.model), task)
    trains = options.trains if options.trains_layers else f"{bases.LAST}1"
    return bases.of_network(trained, trains, folder, RECIPES[args.recipe], images)


def _newest(config: PipelineConfig) -> str:
    """Returns the newest SavedModel that was pushed, or raises ConfigError."""
    found = versions.newest(config.serving_dir)
    if not found or stores.is_uri(found):
        raise ConfigError(
            f"{config.serving_dir} has no SavedModel; run `make run` first, or give one as --base"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
