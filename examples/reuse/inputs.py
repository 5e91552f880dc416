"""Finds the SavedModel that is reused and the data of the new task, and says what is wrong."""

from collections.abc import Mapping
from pathlib import Path

from data import cache
from data.catalogue import CATALOGUE
from data.dataset import Dataset
from data.errors import ConfigError
from data.files import default_output
from data.mirrors.download import missing_files
from data.resolve import resolve_dataset
from data.task import Task
from pipeline.config import PipelineConfig
from pipeline.storage import locations, stores, versions

_NEW = ("emnist-letters", "fashion-mnist", "kmnist")
_GRAPH = "saved_model.pb"


def find_data(name: str, environment: Mapping[str, str]) -> Dataset:
    """Returns the data set of that name, folder or file, checked, without a download.

    Raises:
      ConfigError: its files are not on disk.
      data.errors.DataError: it is unknown, missing or damaged.
    """
    folder = environment.get("DATA_CACHE")
    cache_dir = Path(folder) if folder else None
    mnist_dir = environment.get("MNIST_DIR") or None
    is_given = name in ("auto", "mnist") and mnist_dir
    if name in CATALOGUE and not is_given and not _is_on_disk(name, cache_dir):
        raise ConfigError(
            f"{name}: its files are not on disk, and nothing is downloaded here; get them "
            f"by `.venv/bin/python -m data {name}`"
        )
    return resolve_dataset(name, mnist_dir, cache_dir, mirrors=())


def new_data(environment: Mapping[str, str]) -> str | None:
    """Returns the first data set on disk that is neither of digits nor DATASET; None without."""
    folder = environment.get("DATA_CACHE")
    cache_dir = Path(folder) if folder else None
    others = [name for name in _NEW if name != environment.get("DATASET")]
    return next((name for name in others if _is_on_disk(name, cache_dir)), None)


def _is_on_disk(name: str, cache_dir: Path | None) -> bool:
    roots = cache.default_folders() if cache_dir is None else [cache_dir.expanduser()]
    return any(not missing_files(CATALOGUE[name], root / name) for root in roots)


def newest_base(environment: Mapping[str, str], trained_on: Dataset) -> str:
    """Returns the newest SavedModel that a run with these settings pushed.

    Raises:
      ConfigError: there is none.
    """
    output = locations.local_place(environment, "OUTPUT")
    config = PipelineConfig(
        trained_on,
        Path(output or default_output(trained_on.name)),
        push_to=locations.place(environment, "PUSH_TO"),
    )
    try:
        found = versions.newest(config.serving_dir)
    except stores.StoreError as error:
        raise ConfigError(f"PUSH_TO={error}") from error
    if not found:
        raise ConfigError(
            f"{config.serving_dir}: no SavedModel was pushed there; `make run` pushes one, or give "
            "the folder of another"
        )
    return found


def check_base(folder: str, task: Task) -> int:
    """Returns how many classes the SavedModel tells apart.

    Raises:
      ConfigError: there is none, or it cannot be reused for the images of the task.
    """
    if not (stores.is_uri(folder) or Path(folder, _GRAPH).is_file()):
        raise ConfigError(
            f"{folder}: there is no SavedModel ({_GRAPH}); give a folder such as "
            "OUTPUT/serving/<version>"
        )
    # Here: TensorFlow takes its seconds.
    import tensorflow as tf

    from modules import features
    from modules.export.reusable import batch_sizes
    from modules.export.saved_model import SERVE_FEATURES, SERVE_IMAGES

    try:
        loaded = tf.saved_model.load(folder)
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{folder}: is no SavedModel that can be read ({reason})") from error
    if not {SERVE_FEATURES, SERVE_IMAGES} <= loaded.signatures.keys():
        raise ConfigError(
            f"{folder}: this SavedModel has no feature extractor (signature {SERVE_FEATURES}); "
            "give one of this project whose network ends with a dense layer, see "
            "docs/saved-model.md#as-an-object"
        )
    if not loaded.feature_extractor.trainable_variables:
        raise ConfigError(
            f"{folder}: nothing in this SavedModel can be trained further; give one of a network "
            "whose gradient TensorFlow can express, see docs/saved-model.md#as-an-object"
        )
    if sizes := batch_sizes.sizes_of(loaded):
        raise ConfigError(
            f"{folder}: this SavedModel takes batches of {batch_sizes.listed(sizes)} images "
            "alone; give one that was made without BATCH_SIZES"
        )
    [spec] = loaded.signatures[SERVE_FEATURES].structured_input_signature[1].values()
    if spec.shape[1] != task.num_pixels:
        raise ConfigError(
            f"{folder}: takes images of {spec.shape[1]:,} numbers, and those of {task.name} have "
            f"{task.num_pixels:,}; give data of the size that it was trained on"
        )
    return loaded.signatures[SERVE_IMAGES].structured_outputs[features.LOGITS].shape[1]
