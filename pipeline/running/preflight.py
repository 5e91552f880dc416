"""What a run needs of the disk, tried before any work: places that can be written, and room."""

import os
import shutil
import tempfile
from pathlib import Path

from data.errors import ConfigError
from modules.training.saved import checkpoint_folder
from pipeline.config import PipelineConfig
from pipeline.metadata.run_lock import IDENTITY_FILE, LOCK_FILE, STORE_FILE
from pipeline.storage import locations, stores
from pipeline.verdict.verdict import COMPARISON_FILE, REPORT_FILE

LOG_FILE = "run.log"
# What the smallest data needs; larger data, and artifacts in an object store, need more.
MIN_FREE_OUTPUT, MIN_FREE_TEMPORARY = 64 << 20, 32 << 20


def check(config: PipelineConfig) -> None:
    """Tries every place that a run writes to, and looks for room.

    Raises:
      ConfigError: one cannot be written, or too little room is left.
    """
    check_places(config)
    _check_room(f"OUTPUT={config.output}", config.output, MIN_FREE_OUTPUT)
    temporary = tempfile.gettempdir()
    _check_room(f"TMPDIR={temporary}", temporary, MIN_FREE_TEMPORARY)


def check_places(config: PipelineConfig) -> None:
    """Tries every place that a run writes to; what is there is left as it is.

    Raises:
      ConfigError: one cannot be written.
    """
    locations.check_writable({"PIPELINE_ROOT": config.root, "PUSH_TO": config.push_to})
    for place in folders(config):
        _check_folder(place, config)
    for place in files(config):
        _check_file(place, config)


def folders(config: PipelineConfig) -> list[Path]:
    """Returns the folders on disk that a run fills."""
    places = [config.pipeline_root, config.serving_dir, config.device_dir]
    local = [Path(place) for place in places if not stores.is_uri(place)]
    return [*local, config.report_dir, config.output / checkpoint_folder.NAME]


def files(config: PipelineConfig) -> list[Path]:
    """Returns the files on disk that a run writes outside of TFX's own folders."""
    names = (LOG_FILE, LOCK_FILE, STORE_FILE, IDENTITY_FILE)
    own = [config.output / name for name in names]
    report = [config.report_dir / name for name in (REPORT_FILE, COMPARISON_FILE)]
    return [*own, *report, *([] if config.metadata else [config.metadata_file])]


def _check_folder(folder: Path, config: PipelineConfig) -> None:
    """Raises ConfigError when what has the folder's name is none, or cannot be written to."""
    if not os.path.lexists(folder):
        return
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _refusal(folder, error, config) from error


def _check_file(file: Path, config: PipelineConfig) -> None:
    """Raises ConfigError when what has the file's name is none, or cannot be written."""
    if not os.path.lexists(file):
        return
    try:
        # A FIFO or a device would keep us waiting, or take what is written for something else.
        if file.exists() and not file.is_file():
            raise IsADirectoryError(None, "not a regular file")
        with open(file, "ab"):
            pass
    except OSError as error:
        raise _refusal(file, error, config) from error


def _refusal(place: Path, error: OSError, config: PipelineConfig) -> ConfigError:
    reason = error.strerror or str(error)
    if place.is_relative_to(config.output):
        setting = f"OUTPUT={config.output}: {place.relative_to(config.output)} in it"
    else:
        setting = f"{place}: it"
    return ConfigError(
        f"{setting} cannot be written ({reason}); remove or mend what is there, or give another "
        "folder"
    )


def _check_room(what: str, folder: Path | str, needed: int) -> None:
    """Raises ConfigError when less than `needed` bytes are free for this user."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ConfigError(
            f"{what}: {free >> 20} MiB are free there, and a run needs at least "
            f"{needed >> 20} MiB; make room, or give another folder"
        )
