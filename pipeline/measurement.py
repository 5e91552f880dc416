"""Runs the models once more, for what TFMA does not measure: agreement and latency."""

import os
from collections.abc import Callable, Mapping

import numpy as np

from modules import export, features, litert, timing
from modules.recipes import FLOAT32
from pipeline.comparison import BATCH_1, BATCH_1_WITHOUT_XNNPACK, REFERENCE, Logits


def predict_all(
    saved_model_dir: str, tflite_paths: Mapping[str, str], test: np.ndarray, hard: np.ndarray
) -> dict[str, Logits]:
    """Runs every model on all images.

    Args:
      saved_model_dir: of the reference.
      tflite_paths: of the device models, by name.
      test: raw images float32[N, 784] in [0, 1].
      hard: the same, of the hard set.
    """
    images = np.concatenate([test, hard])
    logits = {REFERENCE: export.predict_saved_model(saved_model_dir, images)}
    for name, path in tflite_paths.items():
        logits[name] = litert.predict(path, images, num_threads=litert.NUM_THREADS)
    return {name: Logits(both[: len(test)], both[len(test) :]) for name, both in logits.items()}


def latencies(
    saved_model_dir: str, tflite_paths: Mapping[str, str], image: np.ndarray
) -> dict[str, dict[str, dict[str, float]]]:
    """Times single images, on one thread, all models in turns.

    Args:
      saved_model_dir: of the reference; the float32 device model that lies in it is timed too,
        whether or not it is among the device models, since others are compared with it.
      tflite_paths: of the device models, by name.
      image: raw float32[1, 784].

    Returns:
      By model the percentiles of `timing.latencies_us` under BATCH_1 and, for device models, under
      BATCH_1_WITHOUT_XNNPACK.
    """
    serve = export.load_saved_model(saved_model_dir)
    paths = {FLOAT32.name: os.path.join(saved_model_dir, features.TFLITE_FILE), **tflite_paths}
    calls = {(REFERENCE, BATCH_1): lambda: serve(image)}
    for name, path in paths.items():
        calls[name, BATCH_1] = _single_image_call(path, image, xnnpack=True)
        calls[name, BATCH_1_WITHOUT_XNNPACK] = _single_image_call(path, image, xnnpack=False)
    times = timing.latencies_us(calls)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (name, how), percentiles in times.items():
        found.setdefault(name, {})[how] = percentiles
    return found


def _single_image_call(path: str, image: np.ndarray, xnnpack: bool) -> Callable[[], np.ndarray]:
    model = litert.load(path, xnnpack=xnnpack)
    prepared = model.prepare(image)
    return lambda: model(prepared)
