"""Answers of the pushed `.tflite` files, run here."""

import statistics
import time

import numpy as np

from data.errors import DataError
from modules.inference import litert
from serve.client.answers import Answer, Answers, answer_of
from serve.client.package import Package

_CALLS = 5  # of which the median counts, after one that is not timed


def ask(package: Package, images: np.ndarray) -> tuple[Answers, ...]:
    """Returns what every model of a package says.

    Args:
      package: with a version.
      images: float32[N, pixels] in [0, 1].

    Raises:
      DataError: a file of the package is damaged.
    """
    return tuple(
        _ask(name, str(package.version / file), images) for name, file in package.files.items()
    )


def _ask(name: str, path: str, images: np.ndarray) -> Answers:
    try:
        model = litert.load(path)
        return Answers(name, tuple(_answer(model, image[np.newaxis]) for image in images))
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{path}: LiteRT does not run it ({error}); `make inspect` says more of the file"
        ) from error


def _answer(model: litert.LoadedModel, image: np.ndarray) -> Answer:
    prepared = model.prepare(image)
    output = model(prepared)
    seconds = []
    for _ in range(_CALLS):
        start = time.perf_counter()
        model(prepared)
        seconds.append(time.perf_counter() - start)
    return answer_of(model.logits(output)[0], statistics.median(seconds) * 1e6)
