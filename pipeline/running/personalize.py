"""Makes a model that is trained on the device: `make personalize`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import FAILED, ConfigError, shown
from data.splits import Split
from data.texts import check_texts, number
from modules.personal.options import Options
from pipeline.config import PipelineConfig
from pipeline.running import console
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.settings import config_from_environment
from pipeline.storage import locations, stores, versions

if TYPE_CHECKING:
    pass

_MAX_BATCH, _MAX_NEW = 1024, 1000
_LABELLED = 5000  # training images for a fresh head, the replay and the ranges of integers
_KERAS = "keras:"


def _arguments() -> argparse.ArgumentParser:
    """Returns what reads the command line; the settings of make are the defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.running.personalize", description=__doc__
    )
    for name, default, what in (
        ("base", "", "a SavedModel, or keras:NAME; the newest that was pushed"),
        ("head", "softmax", "softmax, mlp, a Python file; or last:N or all, layers of the network"),
        ("num_classes", "", "outputs; those beyond the data set's are for new classes"),
        ("train_batch_size", "20", "images of a training step"),
        ("optimizer", "sgd", "sgd, momentum or adam"),
        ("learning_rate", "", "of the optimizer"),
        ("out", "", "folder for the package; personal/new in OUTPUT"),
    ):
        value = os.environ.get(name.upper()) or default
        parser.add_argument(f"--{name}", default=value, help=f"{what} ({value})" if value else what)
    parser.add_argument("--train", dest="head", help="the same as --head")
    parser.add_argument("--signature", default="", help="of a SavedModel of another project")
    parser.add_argument("--weights", default="imagenet", help="of keras:NAME, or random, or a file")
    parser.add_argument("--recipe", default="float32", help="of the base, as in RECIPES")
    return parser


@tells_wrong_settings
def main() -> int:
    """Makes what the command line says, and tells what came of it; returns the exit status."""
    args = _arguments().parse_args()
    check_texts(vars(args), ("base", "head", "out", "signature", "weights"))
    given = {name.upper(): value for name, value in vars(args).items()}
    batch_size = number(given, "TRAIN_BATCH_SIZE", int, None, 1, _MAX_BATCH)
    learning_rate = number(given, "LEARNING_RATE", float, None, 1e-9, 1e3)
    config = config_from_environment(os.environ)
    known = config.dataset.task.num_classes
    classes = number(given, "NUM_CLASSES", int, known, known, known + _MAX_NEW)
    options = {
        "trains": args.head,
        "optimizer": args.optimizer,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "spare_classes": classes - known,
        "seed": config.train.seed,
    }
    out = Path(args.out or config.output / "personal" / "new").expanduser().absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: expected a folder that is not there, or empty")
    with console.library_output_to(Path(os.devnull)):
        return _make(args, config, options, out)


def _make(
    args: argparse.Namespace, config: PipelineConfig, given: dict[str, Any], out: Path
) -> int:
    # Here: JAX and TensorFlow take their seconds.
    from modules.export.graph.flatbuffer import ConversionError
    from modules.export.personalize import package

    options = Options(**given)
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
    return bases.of_network(trained, options.layers, folder, RECIPES[args.recipe], images)


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
