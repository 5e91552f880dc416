"""The settings by their names, read from the environment into one config."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError, shown
from data.files import default_output
from data.resolve import known_task
from data.task import Task
from data.texts import check_texts, number, switch
from modules.training.config import TrainConfig
from pipeline import setting_values as values
from pipeline.beam import engines
from pipeline.config import PipelineConfig
from pipeline.metadata import database
from pipeline.storage import locations
from pipeline.verdict.limits import Limits

if TYPE_CHECKING:
    from modules.models.protocol import Model

# What `config_from_environment` reads, for those who hand it to other processes.
SETTINGS = (
    *("DATASET", "IMAGE_SIZE", "MNIST_DIR", "DATA_CACHE", "OUTPUT"),
    *("MODEL", "PARAMS", "BATCH_SIZES", "PERSONALIZE"),
    *("EPOCHS", "SEED", "TRIALS", "RECIPES", "MIN_ACCURACY", "MAX_LATENCY_US"),
    *("RUNTIMES", "PARITY_IMAGES"),
    *("METADATA", "PIPELINE_NAME", "PIPELINE_ROOT", "PUSH_TO", "STAGE_BEAM"),
    *("BEAM_RUNNER", "BEAM_ARGS"),
)
# What single commands of the Makefile read beside them.
COMMAND_SETTINGS = (
    *("IMAGE", "DATA_ROOT", "TRAINER_IMAGE", "TRAINER_GPUS", "GPU_TYPE"),
    *("AIRFLOW_PORT", "DRY_RUN", "SHARE_NETWORK", "CLASSPATH", "PYTHON"),
    *("FILE", "JSON", "SERVER"),
    *("BASE", "HEAD", "NUM_CLASSES", "OPTIMIZER", "LEARNING_RATE", "TRAIN_BATCH_SIZE", "OUT"),
    *("SERVE_HOST", "SERVE_PORT", "GRPC_PORT", "METRICS_PORT", "MAX_BATCH", "MAX_BATCH_MS"),
    *("WEB_PORT", "ANDROID_KEYSTORE"),
)

_MAX_SEED = 2**32 - 1  # what JAX and numpy both take
# Beyond any use, and far below what overflows.
_MAX_EPOCHS, _MAX_TRIALS, _MAX_LATENCY_US = 100_000, 10_000, 10**9
_MAX_PARITY_IMAGES = 10**7

_LONGEST_NAME = 63  # TFX's own limit
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}", re.ASCII)


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
    min_accuracy = number(environment, "MIN_ACCURACY", float, None, 0, 1)
    max_latency_us = number(environment, "MAX_LATENCY_US", float, None, 0, _MAX_LATENCY_US)
    trials = number(environment, "TRIALS", int, PipelineConfig.tuner_trials, 0, _MAX_TRIALS)
    parity_images = number(
        environment, "PARITY_IMAGES", int, PipelineConfig.parity_images, 0, _MAX_PARITY_IMAGES
    )
    recipes = values.recipes(environment)
    runtimes = values.runtimes(environment)
    batch_sizes = values.batch_sizes(environment)
    personal = values.personalize(environment)
    size = values.image_size(environment)
    metadata = environment.get("METADATA") or ""
    if metadata:
        metadata = database.parse(metadata).url
    name = _name(environment)
    beam_args = engines.beam_args(environment)
    given_output = locations.local_place(environment, "OUTPUT")
    root, push_to = (locations.place(environment, name) for name in ("PIPELINE_ROOT", "PUSH_TO"))
    stage_beam = switch(environment, "STAGE_BEAM", PipelineConfig.stage_beam)
    locations.check_staging(root, stage_beam)
    engines.check_root(beam_args, root, stage_beam)
    model_name, model = _model(environment)
    known = known_task(environment.get("DATASET") or "auto", size)
    if known:  # a model that will not do should not have to wait for a download, either
        _check_model(environment, model, known)
    dataset, data_uri = locations.data_set(environment, size)
    if dataset.task != known:
        _check_model(environment, model, dataset.task)
    params = _params(environment, model, dataset.task)
    if min_accuracy is None:
        min_accuracy = dataset.task.min_accuracy
    output = Path(given_output or default_output(dataset.name))
    config = PipelineConfig(
        dataset,
        output,
        train.augmented(dataset.task),
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
        model=model_name,
        params=params,
        batch_sizes=batch_sizes,
        personalize=personal,
        runtimes=runtimes,
        parity_images=parity_images,
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


def _model(environment: Mapping[str, str]) -> tuple[str, "Model | None"]:
    """Returns MODEL as a name or an absolute path, and the model if it or PARAMS is set.

    Raises:
      ConfigError: there is no such model, or its file does not give one.
    """
    text = environment.get("MODEL") or ""
    if not text and not environment.get("PARAMS"):
        return PipelineConfig.model, None
    from modules.models import loading  # here: JAX takes its seconds

    text = text or PipelineConfig.model
    if not loading.is_name(text):
        text = str(locations.local_folder("MODEL", text))
    return text, loading.load(text)


def _check_model(environment: Mapping[str, str], model: "Model | None", task: Task) -> None:
    """Raises ConfigError when a model that was asked for will not do for the task."""
    if model:
        from modules.models import checks
        from modules.models.network import Network

        checks.check(Network(model, task), is_trained=bool(environment.get("PARAMS")))


def _params(environment: Mapping[str, str], model: "Model | None", task: Task) -> str:
    """Returns PARAMS as an absolute path, "" when it is not set.

    Raises:
      ConfigError: they cannot be read, or are not those of the model.
    """
    text = environment.get("PARAMS") or ""
    if not text:
        return ""
    from modules.models.network import Network
    from modules.training.saved import trained_parameters

    path = str(locations.local_folder("PARAMS", text))
    trained_parameters.read_trained(path, Network(model, task).shapes())
    return path


def _name(environment: Mapping[str, str]) -> str:
    """Returns the pipeline's name, or raises ConfigError."""
    name = environment.get("PIPELINE_NAME") or ""
    if name and not _NAME.fullmatch(name):
        raise ConfigError(
            f"PIPELINE_NAME={shown(name)}: expected at most 63 letters, digits, '-' and '_', "
            "the first a letter"
        )
    return name
