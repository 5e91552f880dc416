"""The file of a personal state: what a user's training made of a package, in safetensors.

docs/personalization.md describes it for other languages.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from modules.inference.personal import tensor_files
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.reservoir import Samples

FORMAT, SCHEMA_VERSION = "personal-state", "1"
FEATURES, LABELS, SEEN = "reservoir_features", "reservoir_labels", "reservoir_seen"
_KEYS = ("format", "schema_version", "model", "model_sha256", "class_names", "step")


@dataclasses.dataclass(frozen=True)
class PersonalState:
    """What a user's training made of a package.

    Attributes:
      model: the name of the network.
      model_sha256: of the package's TFLite file.
      class_names: of the outputs, in their order; outputs behind them have no class yet.
      step: how many training steps were taken.
      values: parameters and the optimizer's state by name.
      samples: the user's, with features float32.
      seen: how many samples of each output were added, int32[outputs].
    """

    model: str
    model_sha256: str
    class_names: tuple[str, ...]
    step: int
    values: Mapping[str, np.ndarray]
    samples: Samples
    seen: np.ndarray


def write(state: PersonalState, path: Path) -> None:
    """Writes a state in place of one that may be there; a crash leaves the one or the other.

    Raises:
      PersonalError: the disk refuses; what was there is untouched.
    """
    arrays = {
        **state.values,
        FEATURES: state.samples.features,
        LABELS: state.samples.labels,
        SEEN: state.seen,
    }
    texts = (
        *(FORMAT, SCHEMA_VERSION, state.model, state.model_sha256),
        *(json.dumps(state.class_names), str(state.step)),
    )
    try:
        tensor_files.write(path, arrays, dict(zip(_KEYS, texts, strict=True)))
    except OSError as error:
        raise PersonalError(
            f"cannot save the state as {path}: {error.strerror or error}; a state that was there "
            "is untouched; check that the folder exists, its permissions and the free space"
        ) from error


def read(path: Path, fresh: PersonalState) -> PersonalState:
    """Reads what `write` wrote, and checks that it goes with a package.

    Args:
      path: of the file.
      fresh: the state that the package starts with.

    Raises:
      PersonalError: it is not there, damaged, of another version or of another model, or has
        anything else that a state of this package cannot have.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PersonalError(f"{path} cannot be read: {error.strerror or error}") from error
    arrays, texts = tensor_files.parsed(content, path)
    try:
        return _checked(arrays, texts, fresh)
    except PersonalError as error:
        raise PersonalError(f"{path} {error}") from error


def _checked(
    arrays: dict[str, np.ndarray], texts: Mapping[str, str], fresh: PersonalState
) -> PersonalState:
    """Returns the state, or raises PersonalError with what follows the file's path."""
    if texts.get("format") != FORMAT:
        raise PersonalError(f"is no personal state: its format is {texts.get('format')!r}")
    if texts.get("schema_version") != SCHEMA_VERSION:
        raise PersonalError(
            f"is of schema version {texts.get('schema_version')}, expected {SCHEMA_VERSION}; "
            "use the client that wrote it"
        )
    if missing := [key for key in _KEYS if key not in texts]:
        raise PersonalError(f"has no {missing[0]} in its metadata")
    if texts["model_sha256"] != fresh.model_sha256:
        raise PersonalError(
            f"is of the model {texts['model']} ({texts['model_sha256'][:12]}), and this is the "
            f"model {fresh.model} ({fresh.model_sha256[:12]}); a state goes with one file alone"
        )
    class_names = _class_names(texts["class_names"], fresh)
    if not (texts["step"].isascii() and texts["step"].isdigit()):
        raise PersonalError(f"has {texts['step']!r} as its step, expected a number")
    samples = _samples(arrays, len(class_names), fresh)
    seen = _taken(arrays, SEEN, np.dtype(np.int32), fresh.seen.shape)
    held = np.bincount(samples.labels, minlength=len(seen))
    if (seen < held).any() or seen[len(class_names) :].any():
        raise PersonalError(f"says in {SEEN} that fewer samples were added than it holds")
    values = {
        name: _taken(arrays, name, value.dtype, value.shape) for name, value in fresh.values.items()
    }
    if arrays:
        raise PersonalError(f"has an array {min(arrays)}, which this model has not")
    step = int(texts["step"])
    return PersonalState(fresh.model, fresh.model_sha256, class_names, step, values, samples, seen)


def _class_names(text: str, fresh: PersonalState) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(name and isinstance(name, str) for name in found):
        raise PersonalError("has class_names that are no list of names in JSON")
    known, outputs = fresh.class_names, len(fresh.seen)
    if tuple(found[: len(known)]) != known or len(set(found)) < len(found) or len(found) > outputs:
        raise PersonalError(
            f"has the classes {found}, expected {list(known)} and up to {outputs - len(known)} "
            "others, each once"
        )
    return tuple(found)


def _samples(arrays: dict[str, np.ndarray], num_names: int, fresh: PersonalState) -> Samples:
    size = fresh.samples.features.shape[1]
    count = len(arrays[LABELS]) if arrays.get(LABELS, np.array(0)).ndim == 1 else 0
    labels = _taken(arrays, LABELS, np.dtype(np.int32), (count,))
    if ((labels < 0) | (labels >= num_names)).any():
        raise PersonalError(f"has labels in {LABELS} that are none of its {num_names} classes")
    return Samples(_taken(arrays, FEATURES, np.dtype(np.float32), (count, size)), labels)


def _taken(
    arrays: dict[str, np.ndarray], name: str, dtype: np.dtype, shape: tuple[int, ...]
) -> np.ndarray:
    """Takes an array out of `arrays`, or raises PersonalError."""
    array = arrays.pop(name, None)
    if array is None:
        raise PersonalError(f"has no array {name}")
    if (array.dtype, array.shape) != (dtype, shape):
        raise PersonalError(
            f"has {array.dtype}{list(array.shape)} as {name}, expected {dtype}{list(shape)}"
        )
    if not np.isfinite(array).all():
        raise PersonalError(f"has numbers in {name} that are not finite")
    return array
