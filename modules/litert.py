"""Runs TFLite models with LiteRT."""

import os
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from modules import features

SIGNATURE = "serving_default"
_BATCH_SIZE = 256


def make_interpreter(model_path: str, num_threads: int = 1) -> Interpreter:
    """Returns an interpreter over the file, with XNNPACK.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is no TFLite model.
    """
    if not os.path.isfile(model_path):
        raise FileNotFoundError(f"no TFLite model at {model_path}")
    return Interpreter(model_path=model_path, num_threads=num_threads)


def predict(model_path: str, images: np.ndarray, num_threads: int = 1) -> np.ndarray:
    """Returns logits float32[N, classes] for raw images float32[N, 784] in [0, 1]."""
    runner = make_interpreter(model_path, num_threads).get_signature_runner(SIGNATURE)
    starts = range(0, len(images), _BATCH_SIZE)
    batches = (images[start : start + _BATCH_SIZE] for start in starts)
    # The runner's outputs are views into its arena, which the next call overwrites.
    return np.concatenate(
        [runner(**{features.IMAGE_FLOATS: batch})[features.LOGITS].copy() for batch in batches]
    )


def latency_us(model_path: str, image: np.ndarray, runs: int = 200) -> dict[str, float]:
    """Times single images: one thread, XNNPACK, the copy in included.

    Args:
      model_path: the TFLite file.
      image: one raw image float32[784].
      runs: timed calls, after a tenth as many untimed ones.

    Returns:
      The 50th and 90th percentiles, in microseconds, as "p50" and "p90".
    """
    interpreter = make_interpreter(model_path)
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    times = []
    for _ in range(runs // 10 + runs):
        start = time.perf_counter()
        interpreter.set_tensor(index, image[np.newaxis])
        interpreter.invoke()
        times.append(time.perf_counter() - start)
    p50, p90 = np.percentile(times[-runs:], [50, 90]) * 1e6
    return {"p50": round(float(p50), 1), "p90": round(float(p90), 1)}
