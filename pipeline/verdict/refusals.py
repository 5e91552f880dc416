"""The file that an Evaluator leaves instead of metrics when it passes over a model."""

import os

from tfx.dsl.io import fileio

_REFUSED_FILE = "refused.txt"


def write(uri: str, reason: str) -> None:
    """Writes, in the place of metrics, why an Evaluator passed over its model."""
    fileio.makedirs(uri)
    with fileio.open(os.path.join(uri, _REFUSED_FILE), "wb") as file:
        file.write(reason.encode())


def read(uri: str) -> str | None:
    """Returns why an Evaluator passed over its model, None when it measured it."""
    path = os.path.join(uri, _REFUSED_FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "rb") as file:
        return file.read().decode()
