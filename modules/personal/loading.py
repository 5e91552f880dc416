"""Finds the head that a text names: one of this folder, or a file of the user's."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from data.errors import ConfigError, shown
from modules.personal import keras_heads
from modules.personal.heads import Head, mlp_head, softmax_head

HEADS = {"softmax": softmax_head, "mlp": mlp_head}
_VARIABLE = "HEAD"


def load_head(text: str, size: int, num_classes: int) -> Head:
    """Returns the head of a name, or of a Python file.

    Args:
      text: a name of HEADS, or the path of a file with a variable HEAD, made by `linen_head`,
        `nnx_head`, `pure_head` or `keras_head`.
      size: features of an image, for which a Keras head is traced.
      num_classes: likewise.

    Raises:
      ConfigError: there is none, or the file is broken.
    """
    if text in HEADS:
        return HEADS[text]()
    if not text.endswith(".py"):
        raise ConfigError(
            f"head {shown(text)!r}: there is none such; expected {', '.join(HEADS)}, or the path "
            "of a Python file"
        )
    found = run_file(text)
    if isinstance(found, keras_heads.KerasHead):
        return keras_heads.traced(text, size, num_classes)
    return found


def run_file(text: str) -> Any:
    """Returns the variable HEAD of a Python file, or raises ConfigError."""
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(f"head {shown(text)!r}: there is no such file")
    spec = importlib.util.spec_from_file_location(f"head_file_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a user's code raises
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent))
    found = getattr(module, _VARIABLE, None)
    if not isinstance(found, Head | keras_heads.KerasHead):
        raise ConfigError(
            f"{path}: {_VARIABLE} is {type(found).__name__}, expected what linen_head, nnx_head, "
            "pure_head or keras_head of modules.personal return"
        )
    return found
