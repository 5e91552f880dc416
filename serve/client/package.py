"""The pushed device models, with what their `model.json` says an image is."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import ConfigError, shown
from data.files import default_output
from data.finding.names import name_of
from data.resolve import known_task
from data.task import Drawing, Task, parse_image_size
from pipeline.storage import stores, versions
from pipeline.verdict.device_package import MANIFEST_FILE

_AUTO = ("mnist", "digits")  # what DATASET=auto makes, the wanted one first


@dataclasses.dataclass(frozen=True)
class Package:
    """A pushed version of the device models, or just what is known of its data set.

    Attributes:
      task: what an image is, and the labels.
      output: where results go.
      version: the folder with the files; None where there is none.
      files: names of the models' files in it, by the models' names.
    """

    task: Task
    output: Path
    version: Path | None
    files: Mapping[str, str]


def find(environment: Mapping[str, str], has_server: bool) -> Package:
    """Returns the newest whole package that the settings lead to.

    OUTPUT, or else DATASET, says where it is, and PUSH_TO where it was pushed elsewhere.

    Args:
      environment: the settings.
      has_server: whether one is asked, for which a data set of a known name is enough.

    Raises:
      ConfigError: there is no such package.
    """
    given, size = environment.get("DATASET") or "auto", _size(environment)
    push_to, output = environment.get("PUSH_TO") or "", environment.get("OUTPUT") or ""
    for setting, place in (("PUSH_TO", push_to), ("OUTPUT", output)):
        if stores.is_uri(place):
            raise ConfigError(
                f"{setting}={shown(place)}: expected a folder of this machine; copy device/ of the "
                "store into one, and give that folder as OUTPUT"
            )
    outputs = [Path(output).expanduser()] if output else _default_outputs(given, size)
    places = [Path(push_to).expanduser()] * bool(push_to) + outputs
    for place in places:
        try:
            newest = versions.newest(place / "device")
        except OSError as error:
            raise ConfigError(f"{place}: cannot be read ({error.strerror})") from error
        if newest:
            return _read(Path(newest), outputs[0] if output else place)
    task = known_task(given, size) if has_server else None
    if task is None:
        instead = (
            "DATASET says what data set the server's model is of, by its name"
            if has_server
            else "a server is asked with SERVER=http://127.0.0.1:8080"
        )
        raise ConfigError(
            f"{places[0] / 'device'}: there are no pushed models, which `make run` with the same "
            f"settings makes; {instead}"
        )
    return Package(task, outputs[0], None, {})


def _default_outputs(given: str, size: tuple[int, int] | None) -> list[Path]:
    """Returns where `make run` puts what it makes of DATASET and IMAGE_SIZE."""
    path = Path(given)
    own = name_of(path) if len(path.parts) > 1 or path.exists() else given
    names = _AUTO if given == "auto" else (own,)
    return [default_output(_sized(name, size)) for name in names]


def _sized(name: str, size: tuple[int, int] | None) -> str:
    return f"{name}-{size[0]}x{size[1]}" if size else name


def _size(environment: Mapping[str, str]) -> tuple[int, int] | None:
    text = environment.get("IMAGE_SIZE") or ""
    try:
        return parse_image_size(text) if text else None
    except ValueError as error:
        raise ConfigError(f"IMAGE_SIZE={shown(text)}: {error}") from error


def _read(version: Path, output: Path) -> Package:
    path = version / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text())
        task = Task(
            manifest["task"],
            tuple(manifest["input"]["image_shape"]),
            tuple(manifest["labels"]),
            drawing=_drawing(manifest),
        )
        files = {model["name"]: Path(model["file"]).name for model in manifest["models"]}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"{path}: expected what `make run` writes ({error}); run it again"
        ) from error
    return Package(task, output, version, files)


def _drawing(manifest: Mapping[str, Any]) -> Drawing | None:
    """Returns how a drawing becomes an image; earlier files do not say it, but the catalogue."""
    if "drawing" in manifest["input"]:
        found = manifest["input"]["drawing"]
        return Drawing(**found) if found else None
    task = known_task(manifest["task"])
    return task.drawing if task else None
