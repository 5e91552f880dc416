"""Checks a converted TFLite model before anything else sees it; TFX checks nothing."""

import os

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from modules import features
from modules.export import flatbuffer, tflite_types
from modules.export.flatbuffer import ConversionError
from modules.export.recipes import Recipe
from modules.inference import litert
MAX_TFLITE_OPERATORS = 10

_BATCH_SIZES = (1, 7, 256)  # to try
# Between the logits of an image in two batches.
_MAX_BATCH_DIFFERENCE = 0.1
# A file holds more than weights, but not much more.
_MAX_SIZE_RATIO, _MAX_SIZE_EXTRA = 1.02, 16_384


def check_tflite(path: str, recipe: Recipe, expected_bytes: int) -> None:
    """Raises ConversionError unless TFMA and a device can run the model.

    - Its one input must be the feature `image_floats` of 784 values (TFMA feeds -1 to a name that
      it does not know), and its one output `logits`, both in the recipe's type.
    - Its batch must be resizable.
    - Its operators must be few, TFLite's own, taken by XNNPACK, and in integers exactly where the
      recipe says so.
    - Its weights must be in the recipe's type, and its size that of such weights.
    """
    operators = flatbuffer.operators(path)
    _check_built_in(path, operators)
    interpreter = litert.make_interpreter(path)
    _check_borders(path, interpreter, np.int8 if recipe.integer_io else np.float32)
    if recipe.integer_activations:
        _check_integers(path, operators, recipe)
    _check_size(path, recipe, expected_bytes)
    tflite_types.check_types(path, recipe)
    _check_few(path, recipe)
    _check_delegate(path, interpreter, recipe)
    _check_batches(path, interpreter, min(recipe.max_logit_difference, _MAX_BATCH_DIFFERENCE))


def undelegated_operators(interpreter: Interpreter) -> set[str]:
    """Returns the operators that run outside of XNNPACK.

    The interpreter keeps a delegated operator in its list, beside the DELEGATE operator that runs
    instead; so the results are followed back from the output.
    """
    interpreter.allocate_tensors()
    producers = {}
    for operator in interpreter._get_ops_details():  # delegates come last, and win
        producers |= {int(output): operator for output in operator["outputs"]}
    outside, seen = set(), set()
    tensors = [entry["index"] for entry in interpreter.get_output_details()]
    while tensors:
        tensor = tensors.pop()
        operator = producers.get(tensor)
        if operator is None or tensor in seen:
            continue
        seen.add(tensor)
        if operator["op_name"] != "DELEGATE":
            outside.add(operator["op_name"])
        tensors += [int(source) for source in operator["inputs"]]
    return outside


def _check_built_in(path: str, names: list[str]) -> None:
    custom = sorted({name for name in names if name.startswith("CUSTOM:")})
    if custom:
        raise ConversionError(f"{path}: operators outside TFLITE_BUILTINS: {custom}")


def _check_few(path: str, recipe: Recipe) -> None:
    computing = tflite_types.computing_operators(path, recipe)
    if len(computing) > MAX_TFLITE_OPERATORS:
        raise ConversionError(
            f"{path}: {len(computing)} operators, expected at most {MAX_TFLITE_OPERATORS}: "
            f"{computing}; TFLite's converter did not fuse them. If the network has grown, raise "
            "MAX_TFLITE_OPERATORS in modules/models/cnn.py"
        )


def _check_borders(path: str, interpreter: Interpreter, dtype: type) -> None:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    for what, entries, expected in (
        ("inputs", inputs, features.IMAGE_FLOATS),
        ("outputs", outputs, features.LOGITS),
    ):
        names = [entry["name"] for entry in entries]
        if names != [expected]:
            raise ConversionError(f"{path}: {what} {names}, expected ['{expected}']")
        if entries[0]["dtype"] != dtype:
            raise ConversionError(
                f"{path}: {what} of {entries[0]['dtype'].__name__}, expected {dtype.__name__}"
            )
    return
    if shape != [-1, features.NUM_PIXELS]:
        raise ConversionError(f"{path}: input shape {shape}, expected [-1, {features.NUM_PIXELS}]")


def _check_integers(path: str, names: list[str], recipe: Recipe) -> None:
    """TFLite's converter falls back to floats, whatever `supported_ops` says."""
    ends = [place for place, name in enumerate(names) if name == "DEQUANTIZE"]
    if ends != ([] if recipe.integer_io else [len(names) - 1]):
        raise ConversionError(
            f"{path}: {names} do not all compute in integers, as the recipe {recipe.name} demands; "
            "TFLite has no integer kernel for what follows a DEQUANTIZE"
        )


def _check_size(path: str, recipe: Recipe, expected_bytes: int) -> None:
    size = os.path.getsize(path)
    limit = int(expected_bytes * _MAX_SIZE_RATIO) + _MAX_SIZE_EXTRA
    if size > limit:
        raise ConversionError(
            f"{path}: {size:,} bytes, expected at most {limit:,} for weights of "
            f"{recipe.weight_bytes} byte(s); the recipe {recipe.name} did not reach all of them"
        )


def _check_delegate(path: str, interpreter: Interpreter, recipe: Recipe) -> None:
    unexpected = sorted(undelegated_operators(interpreter) - recipe.undelegated)
    if unexpected:
        raise ConversionError(
            f"{path}: XNNPACK does not run {unexpected}, which makes the model slow; if you "
            f"accept that, name them in `undelegated` of the recipe {recipe.name} in "
            "modules/export/recipes.py"
        )


def _check_batches(path: str, interpreter: Interpreter, tolerance: float) -> None:
    runner = interpreter.get_signature_runner(litert.SIGNATURE)
    input_details = runner.get_input_details()[features.IMAGE_FLOATS]
    output_details = runner.get_output_details()[features.LOGITS]
    images = np.random.default_rng(0).random((max(_BATCH_SIZES), int(input_details['shape'][1])), np.float32)
    pixels = litert.quantize(images, input_details)

    def logits(start: int, size: int) -> np.ndarray:
        try:
            found = runner(**{features.IMAGE_FLOATS: pixels[start : start + size]})
        except (RuntimeError, ValueError, KeyError) as error:
            raise ConversionError(f"{path}: a batch of {size} failed: {error}") from error
        return litert.dequantize(found[features.LOGITS], output_details)

    alone = np.concatenate([logits(start, 1) for start in range(len(pixels))])
    if not np.isfinite(alone).all():
        raise ConversionError(f"{path}: logits of plain images are not finite")
    for size in _BATCH_SIZES:
        together, expected = logits(0, size), alone[:size]
        if together.shape != expected.shape or not np.allclose(
            together, expected, rtol=1e-4, atol=tolerance
        ):
            raise ConversionError(
                f"{path}: {size} images together give other logits than one by one; the network "
                "may hold a batch size of its own"
            )
