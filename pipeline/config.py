"""The one config object: what a user can choose, checked before any work starts."""

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from data.dataset import DatasetFiles
from modules.recipes import RECIPES
from modules.train_config import TrainConfig
from pipeline import beam_engine, locations, metadata_server
from pipeline.errors import ConfigError
from pipeline.limits import Limits
from pipeline.settings import SETTINGS, check_texts, number, shown, switch

_MAX_SEED = 2**32 - 1  # what JAX and numpy both take
# Beyond any use, and far below what overflows.
_MAX_EPOCHS, _MAX_TRIALS, _MAX_LATENCY_US = 100_000, 10_000, 10**9

_LONGEST_NAME = 63  # TFX's own limit
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}", re.ASCII)

PROJECT_ROOT = Path(__file__).resolve().parent.parent


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
      metadata: URL of the database with ML Metadata, without a password; "" for SQLite.
      name: of the pipeline; "" for one made from the data set's.
      root: where TFX keeps artifacts, a path or a URI; "" for a folder of `output`.
      push_to: where models are pushed to, a path or a URI; "" for `output`.
      data_uri: where ExampleGen finds the files of `dataset`; "" for where they are here.
      stage_beam: whether components that run on Beam, too, work on local copies of artifacts in
        an object store; not where Beam's workers are on other machines.
      has_metadata_store: whether TFX can ask ML Metadata for earlier runs; not on Kubeflow.
    """

    dataset: DatasetFiles
    output: Path
    train: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    recipes: tuple[str, ...] = tuple(RECIPES)
    limits: Limits = dataclasses.field(default_factory=Limits)
    beam_args: tuple[str, ...] = beam_engine.IN_MEMORY
    tuner_trials: int = 0
    trial_epochs: int = 3
    metadata: str = ""
    name: str = ""
    root: str = ""
    push_to: str = ""
    data_uri: str = ""
    stage_beam: bool = True
    has_metadata_store: bool = True

    @property
    def pipeline_name(self) -> str:
        """The pipeline's name in ML Metadata and in `tfx` commands.

        Runs of one name share a history: the cache, and the last blessed model.
        """
        return self.name or f"mnist-jax-{self.dataset.name}"

    @property
    def pipeline_root(self) -> str:
        """Where TFX keeps artifacts, a path or a URI."""
        return self.root or str(self.output / "pipeline")

    @property
    def data_folder(self) -> str:
        """Where ExampleGen finds the IDX files, a path or a URI."""
        return self.data_uri or str(self.dataset.train_images.parent)

    @property
    def metadata_file(self) -> Path:
        """ML Metadata's SQLite file, which is there unless `metadata` says otherwise."""
        return self.output / "metadata.db"

    @property
    def metadata_location(self) -> str:
        """Where ML Metadata is: a URL, or the path of the SQLite file."""
        return self.metadata or str(self.metadata_file)

    @property
    def serving_dir(self) -> str:
        """Where blessed SavedModels are pushed to, one folder a version; a path or a URI."""
        return os.path.join(self.push_to or self.output, "serving")

    @property
    def device_dir(self) -> str:
        """Where blessed TFLite models are pushed to, one folder a version; a path or a URI."""
        return os.path.join(self.push_to or self.output, "device")

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
    check_texts(environment, SETTINGS)
    # Numbers first: a typing mistake should not have to wait for a download.
    train = TrainConfig(
        epochs=number(environment, "EPOCHS", int, TrainConfig.epochs, 1, _MAX_EPOCHS),
        seed=number(environment, "SEED", int, TrainConfig.seed, 0, _MAX_SEED),
    )
    min_accuracy = number(environment, "MIN_ACCURACY", float, Limits.min_accuracy, 0, 1)
    max_latency_us = (
        number(environment, "MAX_LATENCY_US", float, 0, 0, _MAX_LATENCY_US)
        if environment.get("MAX_LATENCY_US")
        else None
    )
    trials = number(environment, "TRIALS", int, PipelineConfig.tuner_trials, 0, _MAX_TRIALS)
    recipes = _recipes(environment)
    metadata = environment.get("METADATA") or ""
    if metadata:
        metadata = metadata_server.parse(metadata).url
    name = _name(environment)
    beam_args = beam_engine.beam_args(environment)
    given_output = locations.local_place(environment, "OUTPUT")
    root, push_to = (locations.place(environment, name) for name in ("PIPELINE_ROOT", "PUSH_TO"))
    stage_beam = switch(environment, "STAGE_BEAM", PipelineConfig.stage_beam)
    locations.check_staging(root, stage_beam)
    beam_engine.check_root(beam_args, root, stage_beam)
    dataset, data_uri = locations.data_set(environment)
    output = Path(given_output or PROJECT_ROOT / "output" / dataset.name)
    config = PipelineConfig(
        dataset,
        output,
        train,
        recipes,
        Limits(min_accuracy=min_accuracy, max_latency_us=max_latency_us),
        beam_args,
        tuner_trials=trials,
        metadata=metadata,
        name=name,
        root=root,
        push_to=push_to,
        data_uri=data_uri,
        stage_beam=stage_beam,
    )
    _check_names(config)
    locations.make_writable("OUTPUT", output)
    return config


def _check_names(config: PipelineConfig) -> None:
    """Raises ConfigError when a name that nobody typed, but the data set has, will not do."""
    locations.check_no_pattern("OUTPUT", config.output)
    locations.check_no_pattern("DATASET", config.data_folder)
    check_texts({"DATASET": config.dataset.name}, ("DATASET",))
    if len(config.pipeline_name) > _LONGEST_NAME:
        raise ConfigError(
            f"DATASET: the name {shown(config.dataset.name)!r} makes the pipeline's name "
            f"{len(config.pipeline_name)} characters long, and TFX takes {_LONGEST_NAME}; give "
            "another as PIPELINE_NAME"
        )


def _recipes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the chosen recipes in the order of the catalogue, or raises ConfigError."""
    text = environment.get("RECIPES") or ",".join(RECIPES)
    chosen = {name.strip() for name in text.split(",")}
    if unknown := sorted(chosen - RECIPES.keys()):
        raise ConfigError(
            f"RECIPES={shown(text)}: there is no {shown(unknown[0])!r}; expected names out of "
            f"{', '.join(RECIPES)}, separated by commas"
        )
    return tuple(name for name in RECIPES if name in chosen)


def _name(environment: Mapping[str, str]) -> str:
    """Returns the pipeline's name, or raises ConfigError."""
    name = environment.get("PIPELINE_NAME") or ""
    if name and not _NAME.fullmatch(name):
        raise ConfigError(
            f"PIPELINE_NAME={shown(name)}: expected at most 63 letters, digits, '-' and '_', "
            "the first a letter"
        )
    return name
