"""safetensors files as arrays and texts, read at once; https://github.com/huggingface/safetensors."""

import contextlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy

from data.files import sync_folder, written_whole
from modules.inference.personal.errors import PersonalError

_LENGTH = "<Q"  # what a file begins with: how many bytes the header has


def write(
    path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes a file in place of one that may be there; a crash leaves the one or the other.

    Raises:
      OSError: the disk refuses; what was there is untouched.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    content = safetensors.numpy.save(whole, dict(metadata) if metadata else None)
    with written_whole(path) as file:
        file.write(content)
    # The file is there by now. Without this, a power cut may bring the old one back.
    with contextlib.suppress(OSError):  # of file systems that cannot
        sync_folder(path.parent)


def parsed(content: bytes, path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns a file's arrays by name, and its metadata.

    Raises:
      PersonalError: this is no whole safetensors file; `path` names it.
    """
    try:
        arrays = safetensors.numpy.load(content)
        (length,) = struct.unpack_from(_LENGTH, content)
        header = json.loads(content[struct.calcsize(_LENGTH) :][:length])
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise PersonalError(f"{path} is no whole safetensors file ({error})") from error
    return arrays, header.get("__metadata__", {})
