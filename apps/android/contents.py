"""The packages that an app is built with, and their files as its assets."""

import dataclasses
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path

from apps.android.deltas import delta
from data.errors import disk_errors
from data.task import Task
from modules.inference.personal import manifest
from pipeline.verdict.device_package import MANIFEST_FILE
from serve.client import package, personal

DEVICE, PERSONAL = "device", "personal"  # folders of the assets, as DeviceApplication.java has them
DELTA = ".delta"


@dataclasses.dataclass(frozen=True)
class Contents:
    """What an app is built with.

    Attributes:
      task: what the models tell apart.
      output: where results go.
      device: the folder of the device package.
      files: the names of the models' files in it, by the models' names.
      personal: the folder of the personal package; None where there is none.
    """

    task: Task
    output: Path
    device: Path
    files: Mapping[str, str]
    personal: Path | None

    def paths(self) -> dict[str, Path]:
        """Returns the files that become assets, by their names among the assets."""
        names = (MANIFEST_FILE, *self.files.values())
        found = {f"{DEVICE}/{name}": self.device / name for name in names}
        if self.personal:
            for name in manifest.file_names(self.personal):
                found[f"{PERSONAL}/{name}"] = self.personal / name
        return found


def find(environment: Mapping[str, str]) -> Contents:
    """Returns the newest packages that the settings lead to.

    The personal one is that of the pipeline, or what `make personalize` made where there is none.

    Raises:
      ConfigError: there is no device package, or a folder cannot be read.
    """
    found = package.find(environment, has_server=False)
    assert found.version is not None  # as no server is asked
    newest = next(iter(personal.folders(found)), None)
    return Contents(found.task, found.output, found.version, found.files, newest)


def write_assets(contents: Contents, folder: Path) -> dict[str, int]:
    """Writes the assets below a folder; a file that is much like another one, as a delta.

    Returns:
      How many bytes each takes in an archive, by its name in `Contents.paths`.

    Raises:
      DataError: a file cannot be read or written.
    """
    paths, whole, sizes = contents.paths(), {}, {}
    with disk_errors("write", folder):
        # The largest first: the others are made of it.
        for name in sorted(paths, key=lambda each: (-paths[each].stat().st_size, each)):
            content = paths[name].read_bytes()
            best = _compressed(content)
            as_delta = None
            for base_name, base in whole.items() if name.endswith(".tflite") else ():
                candidate = delta(base_name, base, content)
                if _compressed(candidate) < best / 2:
                    as_delta, best = candidate, _compressed(candidate)
            target = folder / (name + (DELTA if as_delta else ""))
            target.parent.mkdir(parents=True, exist_ok=True)
            if as_delta:
                target.write_bytes(as_delta)
            else:
                shutil.copyfile(paths[name], target)
                whole |= {name: content} if name.endswith(".tflite") else {}
            sizes[name] = best
    return sizes


def _compressed(content: bytes) -> int:
    return len(zlib.compress(content, 9))
