"""The one config object: what a user can choose, checked before any work starts."""

import dataclasses
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.dataset import DatasetFiles
from data.resolve import DEFAULT_CACHE, resolve_dataset
from modules.recipes import DYNAMIC_RANGE, FLOAT16, FLOAT32, INT8, INT8_IO, RECIPES
from modules.train_config import TrainConfig
from pipeline import beam_engine
from pipeline.errors import ConfigError

# The names under the report folder, and inside the artifacts that it is copied from.
COMPARISON_FILE = "comparison.json"
REPORT_FILE = "index.html"

_MAX_SEED = 2**32 - 1  # what JAX and numpy both take

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class VariantLimits:
    """What a device model may lose. Accuracies are shares in [0, 1].

    One image is never held against a model: where a set or a class has so few that one is more
    than the limit, one is the limit.

    Attributes:
      max_accuracy_drop: against the SavedModel, on the test images.
      max_class_accuracy_drop: the same, for every single class.
      max_hard_accuracy_drop: the same, on the hard images.
      max_loss_increase: of the cross-entropy on the test images, in nats.
      min_agreement: share of the test images on which both must have the same argmax.
      max_size_ratio: of the file's bytes to the SavedModel's.
      max_latency_ratio: of the median time of one image to that of float32, which has none.
    """

    max_accuracy_drop: float
    max_class_accuracy_drop: float
    max_hard_accuracy_drop: float
    max_loss_increase: float
    min_agreement: float
    max_size_ratio: float
    max_latency_ratio: float | None


_INT8_LIMITS = VariantLimits(
    max_accuracy_drop=0.001,
    max_class_accuracy_drop=0.01,
    max_hard_accuracy_drop=0.01,
    max_loss_increase=0.01,
    min_agreement=0.995,
    max_size_ratio=0.3,
    max_latency_ratio=1.0,
)
_VARIANT_LIMITS = {
    FLOAT32.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.0005,
        max_loss_increase=0.0005,
        min_agreement=0.999,
        max_size_ratio=1.05,
        max_latency_ratio=None,
    ),
    FLOAT16.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.002,
        max_loss_increase=0.001,
        min_agreement=0.998,
        max_size_ratio=0.55,
        max_latency_ratio=1.5,
    ),
    DYNAMIC_RANGE.name: VariantLimits(
        max_accuracy_drop=0.0005,
        max_class_accuracy_drop=0.005,
        max_hard_accuracy_drop=0.002,
        max_loss_increase=0.005,
        min_agreement=0.998,
        max_size_ratio=0.3,
        max_latency_ratio=1.0,
    ),
    INT8.name: _INT8_LIMITS,
    INT8_IO.name: _INT8_LIMITS,
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a model must reach to be pushed. Accuracies are shares in [0, 1].

    Attributes:
      min_accuracy: of every model on the test images.
      max_drop_from_last: accuracy that may be lost against the last blessed model.
      variants: what each device model may lose, by the name of its recipe.
    """

    min_accuracy: float = 0.97
    max_drop_from_last: float = 0.005
    variants: Mapping[str, VariantLimits] = dataclasses.field(
        default_factory=lambda: dict(_VARIANT_LIMITS)
    )


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """Everything `create_pipeline` needs to know.

    Attributes:
      dataset: the checked files that ExampleGen reads.
      output: absolute folder for all that a run leaves.
      train: how to train; the number of classes is taken from the data set.
      recipes: names of the device models to make, evaluate and ship; see modules/recipes.py.
      limits: what decides on pushing.
      beam_args: options for Beam; see pipeline/beam_engine.py.
      tuner_trials: short trainings that look for hyperparameters of the long one; 0 for none.
      trial_epochs: of each of them, but no more than `train` has.
    """

    dataset: DatasetFiles
    output: Path
    train: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    recipes: tuple[str, ...] = tuple(RECIPES)
    limits: Limits = dataclasses.field(default_factory=Limits)
    beam_args: tuple[str, ...] = beam_engine.IN_MEMORY
    tuner_trials: int = 0
    trial_epochs: int = 3

    @property
    def pipeline_name(self) -> str:
        """The pipeline's name in ML Metadata and in `tfx` commands."""
        return f"mnist-jax-{self.dataset.name}"

    @property
    def pipeline_root(self) -> Path:
        """Where TFX keeps artifacts."""
        return self.output / "pipeline"

    @property
    def metadata_file(self) -> Path:
        """ML Metadata's SQLite file."""
        return self.output / "metadata.db"

    @property
    def serving_dir(self) -> Path:
        """Where blessed SavedModels are pushed to, one folder a version."""
        return self.output / "serving"

    @property
    def device_dir(self) -> Path:
        """Where blessed TFLite models are pushed to, one folder a version."""
        return self.output / "device"

    @property
    def report_dir(self) -> Path:
        """Where the last run's report is copied to."""
        return self.output / "report"


def config_from_environment(environment: Mapping[str, str]) -> PipelineConfig:
    """Reads the settings that `make help` lists; unset, or empty, means the default.

    The data set is found, and downloaded if need be, and checked; the output folder is made.

    Raises:
      ConfigError: a setting is wrong, or OUTPUT cannot be written.
      data.errors.DataError: the data set is unknown, missing or damaged.
    """
    # Numbers first: a typing mistake should not have to wait for a download.
    train = TrainConfig(
        epochs=_number(environment, "EPOCHS", int, TrainConfig.epochs, minimum=1),
        seed=_number(environment, "SEED", int, TrainConfig.seed, minimum=0, maximum=_MAX_SEED),
    )
    min_accuracy = _number(
        environment, "MIN_ACCURACY", float, Limits.min_accuracy, minimum=0, maximum=1
    )
    trials = _number(environment, "TRIALS", int, PipelineConfig.tuner_trials, minimum=0)
    recipes = _recipes(environment)
    beam_args = beam_engine.beam_args(environment)
    wanted = environment.get("DATASET") or "auto"
    dataset = resolve_dataset(wanted, environment.get("MNIST_DIR") or None, DEFAULT_CACHE)
    output = Path(environment.get("OUTPUT") or PROJECT_ROOT / "output" / dataset.name).absolute()
    _make_writable(output)
    limits = Limits(min_accuracy=min_accuracy)
    return PipelineConfig(dataset, output, train, recipes, limits, beam_args, tuner_trials=trials)


def _recipes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the chosen recipes in the order of the catalogue, or raises ConfigError."""
    text = environment.get("RECIPES") or ",".join(RECIPES)
    chosen = {name.strip() for name in text.split(",")}
    if unknown := sorted(chosen - RECIPES.keys()):
        raise ConfigError(
            f"RECIPES={text}: there is no {unknown[0]!r}; expected names out of "
            f"{', '.join(RECIPES)}, separated by commas"
        )
    return tuple(name for name in RECIPES if name in chosen)


def _number(
    environment: Mapping[str, str],
    name: str,
    kind: type,
    default: float,
    minimum: float,
    maximum: float = math.inf,
) -> Any:
    """Returns a setting as a number within [minimum, maximum], or raises ConfigError."""
    text = environment.get(name) or str(default)
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not minimum <= value <= maximum:
        what = "a whole number" if kind is int else "a number"
        bounds = f"of at least {minimum}" if maximum == math.inf else f"from {minimum} to {maximum}"
        raise ConfigError(f"{name}={text}: expected {what} {bounds}")
    return value


def _make_writable(folder: Path) -> None:
    """Makes the folder and tries to write in it; raises ConfigError when that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(
            f"OUTPUT={folder}: cannot write there ({reason}); give a folder that can be written"
        ) from error
