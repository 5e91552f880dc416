"""Runs the models once more, for what TFMA does not measure: agreement and latency."""

import os
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from modules import export, features, litert, timing
from modules.recipes import FLOAT32
from pipeline.comparison import BATCH_1, BATCH_1_WITHOUT_XNNPACK, REFERENCE, Logits

_Predict = Callable[[np.ndarray], np.ndarray]
_AT_ONCE = 512  # images that a model is run on


def predict_all(
    saved_model_dir: str,
    tflite_paths: Mapping[str, str],
    test: Iterable[np.ndarray],
    hard: Iterable[np.ndarray],
) -> dict[str, Logits]:
    """Runs every model on all images, of which a batch at a time has to be in memory.

    Args:
      saved_model_dir: of the reference.
      tflite_paths: of the device models, by name.
      test: raw images float32[B, 784] in [0, 1], batch by batch.
      hard: the same, of the hard set.

    Returns:
      By model the logits, in the order of the images.
    """
    predict: dict[str, _Predict] = {REFERENCE: export.load_saved_model(saved_model_dir)}
    for name, path in tflite_paths.items():
        predict[name] = _tflite_predict(path)
    logits_of_test, logits_of_hard = _logits(predict, test), _logits(predict, hard)
    return {name: Logits(logits_of_test[name], logits_of_hard[name]) for name in predict}


def _tflite_predict(path: str) -> _Predict:
    run = litert.BatchRunner(litert.make_interpreter(path, litert.NUM_THREADS))
    return lambda images: run({features.IMAGE_FLOATS: images})[features.LOGITS]


def _logits(
    predict: Mapping[str, _Predict], batches: Iterable[np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns float32[N, classes] by model."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in predict}
    for batch in batches:
        for start in range(0, len(batch), _AT_ONCE):
            for name, model in predict.items():
                found[name].append(model(batch[start : start + _AT_ONCE]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


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
