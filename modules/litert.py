"""Runs TFLite models with LiteRT."""

import os
from collections.abc import Callable

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
    return np.concatenate([runner(**{features.IMAGE_FLOATS: b})[features.LOGITS] for b in batches])


def load(model_path: str) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the model as a function from raw images float32[B, 784], B being 1.

    This is the shortest way into LiteRT, for timing; `predict` is for everything else.
    """
    interpreter = make_interpreter(model_path)
    interpreter.allocate_tensors()
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]

    def run(images: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(input_index, images)
        interpreter.invoke()
        return interpreter.get_tensor(output_index)

    return run
