"""`replay.safetensors`: features of images that the model was trained on, against forgetting."""

from pathlib import Path

import numpy as np

from data.files import file_sha256
from modules.inference.personal import tensor_files
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.manifest import REPLAY_FILE, Manifest, ReplayFile, read_file
from modules.inference.personal.reservoir import Samples

_FEATURES, _LABELS = "features", "labels"


def write(samples: Samples, folder: Path) -> ReplayFile:
    """Writes REPLAY_FILE, the features as float16; returns what the manifest says of it.

    Args:
      samples: as many of each class as there are.
      folder: of the package.

    Raises:
      OSError: the disk refuses.
      ValueError: a feature is not finite as float16.
    """
    with np.errstate(over="ignore"):  # which the next line sees
        features = samples.features.astype(np.float16)
    if not np.isfinite(features).all():
        raise ValueError("features of training images are not finite, or too large for float16")
    path = folder / REPLAY_FILE
    tensor_files.write(path, {_FEATURES: features, _LABELS: samples.labels.astype(np.int32)})
    return ReplayFile(path.name, file_sha256(path), len(samples))


def read(folder: Path, manifest: Manifest) -> Samples | None:
    """Returns the samples of a package, None where it has none.

    Raises:
      PersonalError: the file is not there, damaged, or not of this package's form.
    """
    if manifest.replay is None:
        return None
    path = folder / manifest.replay.file
    arrays, _ = tensor_files.parsed(read_file(path, manifest.replay.sha256), path)
    expected = {
        _FEATURES: (np.dtype(np.float16), (manifest.replay.images, manifest.features)),
        _LABELS: (np.dtype(np.int32), (manifest.replay.images,)),
    }
    if (found := {name: (each.dtype, each.shape) for name, each in arrays.items()}) != expected:
        raise PersonalError(f"{path} has {found}, expected {expected}; take the package anew")
    samples = Samples(arrays[_FEATURES].astype(np.float32), arrays[_LABELS])
    in_range = (samples.labels >= 0) & (samples.labels < len(manifest.label_names))
    if not (in_range.all() and np.isfinite(samples.features).all()):
        raise PersonalError(
            f"{path} has features that are not finite, or labels beyond 0 to "
            f"{len(manifest.label_names) - 1}; take the package anew"
        )
    return samples
