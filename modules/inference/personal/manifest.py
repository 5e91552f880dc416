"""`personal.json`: what a package of a personal model says of itself, with its reader and writer.

docs/personalization.md describes it for other languages.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from data.files import written_whole
from data.task import Task
from modules.inference.personal.errors import PersonalError

MANIFEST_FILE, MODEL_FILE, REPLAY_FILE = "personal.json", "personal.tflite", "replay.safetensors"
SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class ReplayFile:
    """A file beside the manifest, its SHA-256, and of how many images it has features."""

    file: str
    sha256: str
    images: int


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The content of MANIFEST_FILE.

    Attributes:
      schema_version: of the file's form.
      model: the name of the network that the features come from.
      task: what its images and labels are.
      label_names: those of the task, in the order of the outputs.
      num_classes: outputs; those behind the named ones are free for new classes.
      batch_size: images of a training step.
      features: numbers that the base makes of an image.
      head, optimizer: their names.
      learning_rate: of the optimizer.
      file: with all signatures, beside the manifest.
      bytes, sha256: of that file.
      replay: features of training images; None where there are none.
    """

    schema_version: Literal[1]  # SCHEMA_VERSION
    model: str
    task: Task
    label_names: tuple[str, ...]
    num_classes: int
    batch_size: int
    features: int
    head: str
    optimizer: str
    learning_rate: float
    file: str
    bytes: int
    sha256: str
    replay: ReplayFile | None

    def __post_init__(self) -> None:
        """Checks that it agrees with itself.

        Raises:
          ValueError: it does not.
        """
        if self.label_names != self.task.label_names:
            raise ValueError("label_names are not those of the task")
        if self.num_classes < len(self.label_names):
            raise ValueError(f"num_classes is {self.num_classes}, less than there are label_names")
        if min(self.batch_size, self.features) < 1:
            raise ValueError("batch_size and features have to be at least 1")
        for file in [self.file, *([self.replay.file] if self.replay else [])]:
            if file != Path(file).name:
                raise ValueError(f"{file!r} is not the name of a file beside it")


_FORM = TypeAdapter(Manifest)


def file_names(folder: Path) -> tuple[str, ...]:
    """Returns the names of a package's files, MANIFEST_FILE first; raises as `read` does."""
    says = read(folder)
    return (MANIFEST_FILE, says.file, *((says.replay.file,) if says.replay else ()))


def write(manifest: Manifest, folder: Path) -> None:
    """Writes MANIFEST_FILE into a folder that is there; raises OSError."""
    content = json.dumps(_FORM.dump_python(manifest), indent=2) + "\n"
    with written_whole(folder / MANIFEST_FILE) as file:
        file.write(content.encode())


def read(folder: Path) -> Manifest:
    """Reads what `write` wrote.

    Raises:
      PersonalError: the file is not there, or no JSON, or of another schema or form.
    """
    path = folder / MANIFEST_FILE
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version in (None, SCHEMA_VERSION):
            return _FORM.validate_python(content)
        reason = f"is of schema version {version}, expected {SCHEMA_VERSION}"
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "it"
        reason = f"is not of schema version {SCHEMA_VERSION}: {key}: {first['msg']}"
    except ValueError as error:  # no UTF-8 or no JSON
        reason = f"is no JSON ({error})"
    raise PersonalError(f"{path} {reason}; take the package anew")


def read_file(path: Path, sha256: str) -> bytes:
    """Returns the content of a file of a package.

    Raises:
      PersonalError: it is not there, or does not have this SHA-256.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise PersonalError(f"{path} cannot be read ({reason}); take the package anew") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise PersonalError(
            f"{path} is damaged: its SHA-256 begins with {found[:12]}, its package's manifest says "
            f"{sha256[:12]}; take the package anew"
        )
    return content
