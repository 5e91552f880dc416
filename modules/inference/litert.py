"""Runs TFLite models with LiteRT, on real values, whatever types the tensors have."""

import os
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from modules import features

SIGNATURE = "serving_default"
# Wherever whole data sets are run. Few, since one image gives many threads too little to do.
NUM_THREADS = 2
# Smaller batches take a few percent longer, and so do larger ones where TFMA gives some 150 images.
BATCH_SIZE = 128

_Details = dict[str, Any]  # what the interpreter tells of a tensor


def make_interpreter(model: str | bytes, num_threads: int = 1, xnnpack: bool = True) -> Interpreter:
    """Returns an interpreter over a TFLite model.

    Args:
      model: the file's path, or its content.
      num_threads: that one invocation may use.
      xnnpack: False for TFLite's own kernels, without any delegate.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: this is no TFLite model.
    """
    if isinstance(model, str) and not os.path.isfile(model):
        raise FileNotFoundError(f"no TFLite model at {model}")
    return Interpreter(
        **{"model_path" if isinstance(model, str) else "model_content": model},
        num_threads=num_threads,
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )


def quantize(values: np.ndarray, details: _Details) -> np.ndarray:
    """Converts real values to the numbers that a tensor holds, in its dtype; keeps the shape.

    It does what XNNPACK does for TFLite's operator QUANTIZE, in float32: value * (1 / scale) is
    rounded, halves to even, the zero point added, and all clipped to the range of the dtype. See
    https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec.

    Args:
      values: any shape; for a tensor without quantization, a dtype that fits into the tensor's.
      details: of the tensor, from `get_input_details`.

    Raises:
      TypeError: the tensor holds integers without quantization, and `values` are not integers.
    """
    scales, zero_points, dtype = _quantization(details)
    if not scales.size:
        return np.asarray(values).astype(dtype, casting="same_kind", copy=False)
    integers = np.rint(np.asarray(values, np.float32) * (np.float32(1) / scales)) + zero_points
    bounds = np.iinfo(dtype)
    return np.clip(integers, bounds.min, bounds.max).astype(dtype)


def dequantize(array: np.ndarray, details: _Details) -> np.ndarray:
    """Returns what a tensor holds as float32, (integer - zero point) * scale where quantized."""
    scales, zero_points, _ = _quantization(details)
    real = array.astype(np.float32, copy=False)
    return (real - zero_points.astype(np.float32)) * scales if scales.size else real


def _quantization(details: _Details) -> tuple[np.ndarray, np.ndarray, type]:
    """Returns scales float32[S], zero points int32[S] and dtype; S is 0 without quantization."""
    parameters = details["quantization_parameters"]
    return parameters["scales"], parameters["zero_points"], details["dtype"]


class BatchRunner:
    """The model's signature SIGNATURE as a function of batches of any size.

    A model of a fixed batch gets as many examples at a time as it takes, which is one here.

    Attributes:
      inputs: details of the input tensors, by name.
    """

    def __init__(self, interpreter: Interpreter):
        self._run = interpreter.get_signature_runner(SIGNATURE)
        self._outputs = self._run.get_output_details()
        self.inputs: dict[str, _Details] = self._run.get_input_details()
        lengths = {int(details["shape_signature"][0]) for details in self.inputs.values()}
        self._at_once = BATCH_SIZE if lengths == {-1} else min(lengths - {-1})

    def __call__(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the model on real values, BATCH_SIZE examples at a time if it takes any number.

        Args:
          values: for every input [N, ...], N > 0; quantized here where the model wants integers.

        Returns:
          For every output float32[N, ...], dequantized.

        Raises:
          ValueError: there are no examples, or `values` are not the model's inputs.
        """
        feeds = {name: quantize(array, self.inputs[name]) for name, array in values.items()}
        size = len(next(iter(feeds.values())))
        at_once = self._at_once
        if not size:
            raise ValueError(f"no examples to run the model on: {list(feeds)} are empty")
        batches = [
            self._run(**{name: feed[start : start + at_once] for name, feed in feeds.items()})
            for start in range(0, size, at_once)
        ]
        return {
            name: dequantize(np.concatenate([batch[name] for batch in batches]), details)
            for name, details in self._outputs.items()
        }


def predict(model: str | bytes, images: np.ndarray, num_threads: int = 1) -> np.ndarray:
    """Returns logits float32[N, classes] for raw images float32[N, num_pixels] in [0, 1].

    Args:
      model: path or content of a model whose input and output may be integers.
      images: at least one; the last batch is as small as what is left for it.
      num_threads: of the interpreter.

    Raises:
      ValueError: there are no images.
    """
    run = BatchRunner(make_interpreter(model, num_threads))
    return run({features.IMAGE_FLOATS: images})[features.LOGITS]


class LoadedModel:
    """The shortest way into LiteRT, for timing; `predict` is for everything else.

    A device's camera gives integers, which an integer model takes as they are: so quantization of
    the input is no part of the call, `prepare` does it before, and the output stays as it is.
    """

    def __init__(self, interpreter: Interpreter):
        interpreter.allocate_tensors()
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]
        self._output = interpreter.get_output_details()[0]

    def prepare(self, images: np.ndarray) -> np.ndarray:
        """Returns raw images float32[1, num_pixels] in the dtype of the model's input."""
        return quantize(images, self._input)

    def __call__(self, prepared: np.ndarray) -> np.ndarray:
        """Returns the model's output [1, classes] for what `prepare` returned."""
        self._interpreter.set_tensor(self._input["index"], prepared)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])

    def logits(self, output: np.ndarray) -> np.ndarray:
        """Returns the model's output as logits float32[1, classes]."""
        return dequantize(output, self._output)


def load(model_path: str, xnnpack: bool = True) -> LoadedModel:
    """Returns the model as a function of one prepared image, with one thread."""
    return LoadedModel(make_interpreter(model_path, xnnpack=xnnpack))
