"""The personal packages beside pushed device models."""

from pathlib import Path

from data.errors import ConfigError
from modules.inference.personal.manifest import MANIFEST_FILE
from pipeline.storage import versions
from serve.client.package import Package

_FOLDER, _UNPUSHED = "personal", "new"  # where `make personalize` writes


def folders(device: Package) -> list[Path]:
    """Returns the newest pushed one and what was made without a push, as far as they are there.

    Args:
      device: whose `version` is a folder.

    Raises:
      ConfigError: the folder with the pushed ones cannot be read.
    """
    assert device.version is not None
    place = device.version.parent.parent / _FOLDER
    try:
        pushed = versions.newest(place)
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read ({error.strerror})") from error
    made = device.output / _FOLDER / _UNPUSHED
    found = [Path(pushed)] if pushed else []
    return [*found, *([made] if (made / MANIFEST_FILE).is_file() else [])]
