"""Checks a converted TFLite model before anything else sees it; TFX checks nothing."""

import os

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.python import schema_py_generated as schema

from data.task import Task
from modules import features
from modules.export import facts, refusals
from modules.export.facts import Baseline
from modules.export.graph import flatbuffer
from modules.export.graph.flatbuffer import ConversionError
from modules.export.logit_checks import spread
from modules.export.recipes import Recipe
from modules.inference import litert, trial

_BATCH_SIZES = (1, 7, 256)  # to try
# Between the logits of an image in two batches, in units of their spread.
_MAX_BATCH_DIFFERENCE = 0.02
# A file holds more than weights: as much as the network's float32 file and, for each operator, the
# scales of its quantization and what converts to them and back.
_MAX_SIZE_RATIO, _MAX_SIZE_EXTRA, _MAX_OPERATOR_BYTES = 1.02, 8192, 512
# Operators that are in floats where what they move is.
_FOLLOWING = ("CONCATENATION", "PACK", "PAD", "RESHAPE", "SLICE", "SPLIT", "TRANSPOSE")
_Types = schema.TensorType
_TYPE_NAMES = {code: name for name, code in vars(_Types).items() if name.isupper()}
_WEIGHTS = {4: _Types.FLOAT32, 2: _Types.FLOAT16, 1: _Types.INT8}  # by Recipe.weight_bytes
_INTEGERS = {_Types.INT8, _Types.UINT8, _Types.INT16}


class BatchError(ConversionError):
    """A model computes something else, or nothing, for several images at once."""


def check_tflite(path: str, recipe: Recipe, task: Task, baseline: Baseline) -> None:
    """Raises ConversionError unless TFMA and a device can run the model as the recipe promises.

    - Its form must be right; see `check_form`.
    - It must give an image the same logits alone and among others, and BatchError is raised if it
      does not. A model whose batch is fixed takes one image at a time.

    Args:
      path: of the file.
      recipe: that it was made by.
      task: that it is for.
      baseline: what the network needs; see `facts.baseline_of`.
    """
    check_form(path, recipe, task, baseline)
    check_batches(path, recipe)


def check_form(path: str, recipe: Recipe, task: Task, baseline: Baseline) -> None:
    """Raises ConversionError unless a model is what the recipe makes, as far as its file tells.

    - Its one input must be the feature `image_floats` (TFMA feeds -1 to a name that it does not
      know), and its one output `logits`, both in the recipe's type.
    - Its operators must be TFLite's own, and all of them in integers if the recipe says so.
    - Its weights must be in the recipe's type, and its size that of such weights.

    See `check_tflite` for the arguments.
    """
    custom = sorted({name for name in flatbuffer.operators(path) if name.startswith("CUSTOM:")})
    if custom:
        raise ConversionError(f"{path}: operators outside TFLITE_BUILTINS: {custom}")
    try:
        interpreter = litert.make_interpreter(path)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ConversionError(f"{path}: TFLite does not run it: {refusals.cause(error)}") from error
    _check_borders(path, interpreter, np.int8 if recipe.integer_io else np.float32, task)
    if recipe.integer_activations:
        _check_integers(path, recipe)
    _check_size(path, recipe, baseline)
    _check_types(path, recipe)


def is_batch_fixed(interpreter: Interpreter) -> bool:
    """Returns whether a model takes one image at a time."""
    return int(interpreter.get_input_details()[0]["shape_signature"][0]) != -1


def _check_borders(path: str, interpreter: Interpreter, dtype: type, task: Task) -> None:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    for what, entries, expected, length in (
        ("inputs", inputs, features.IMAGE_FLOATS, task.num_pixels),
        ("outputs", outputs, features.LOGITS, task.num_classes),
    ):
        names = [entry["name"] for entry in entries]
        if names != [expected]:
            raise ConversionError(f"{path}: {what} {names}, expected ['{expected}']")
        if entries[0]["dtype"] != dtype:
            raise ConversionError(
                f"{path}: {what} of {entries[0]['dtype'].__name__}, expected {dtype.__name__}"
            )
        shape = [int(size) for size in entries[0]["shape_signature"]]
        if shape not in ([-1, length], [1, length]):
            raise ConversionError(
                f"{path}: {what} of shape {shape}, expected [-1, {length}], or [1, {length}] for "
                "a model that takes one image at a time"
            )


def _check_integers(path: str, recipe: Recipe) -> None:
    """TFLite's converter falls back to floats, whatever `supported_ops` says."""
    kept = facts.kept_in_float(path, recipe)
    if kept and recipe.integer_io:
        kept = {name: kept[name] for name in kept if name not in _FOLLOWING} or kept
        operator = next(iter(kept))
        raise ConversionError(
            f"{path}: not all is computed in integers, as the recipe {recipe.name} demands: TFLite "
            f"has no integer kernel for {facts.described(kept)}; {refusals.way_out(operator)}"
        )


def most_bytes(recipe: Recipe, baseline: Baseline, operators: int) -> int:
    """Returns how large a file of so many operators may be by a recipe."""
    limit = int(baseline.expected_bytes(recipe) * _MAX_SIZE_RATIO) + _MAX_SIZE_EXTRA
    limit += baseline.overhead_bytes
    return limit + _MAX_OPERATOR_BYTES * operators if recipe.is_quantized else limit


def _check_size(path: str, recipe: Recipe, baseline: Baseline) -> None:
    size, limit = (
        os.path.getsize(path),
        most_bytes(recipe, baseline, len(flatbuffer.operators(path))),
    )
    if size > limit:
        raise ConversionError(
            f"{path}: {size:,} bytes, expected at most {limit:,} for weights of "
            f"{recipe.weight_bytes} byte(s); the recipe {recipe.name} did not reach all of them"
        )


def _check_types(path: str, recipe: Recipe) -> None:
    """Checks what most weights are in, and whether integers are computed at all."""
    weights = facts.kernel_weights(path)
    expected = _WEIGHTS[recipe.weight_bytes]
    if weights and 2 * weights.get(expected, 0) <= sum(weights.values()):
        found = _TYPE_NAMES[max(weights, key=weights.__getitem__)]
        raise ConversionError(
            f"{path}: most weights are {found}, expected {_TYPE_NAMES[expected]}, as the recipe "
            f"{recipe.name} makes them; the file may be that of another recipe"
        )
    graph = flatbuffer.read_model(path).subgraphs[0]
    computed = {graph.tensors[index].type for each in graph.operators for index in each.outputs}
    integers = computed & _INTEGERS
    if bool(integers) != recipe.integer_activations:
        found = _TYPE_NAMES[min(integers)] if integers else "floats"
        raise ConversionError(
            f"{path}: activations are {found}, which the recipe {recipe.name} does not make; the "
            "file may be that of another recipe"
        )


def check_batches(path: str, recipe: Recipe) -> None:
    """Raises BatchError unless a model gives an image the same logits alone and among others.

    A model that LiteRT cannot even fail on is a ConversionError.
    """
    if recipe.integer_activations and trial.ends_the_process(path):
        raise ConversionError(
            f"{path}: LiteRT ends the process that runs it, so it is not run: activations of the "
            "network hardly vary, as they do after a training that learnt nothing"
        )
    interpreter = litert.make_interpreter(path)
    runner = interpreter.get_signature_runner(litert.SIGNATURE)
    input_details = runner.get_input_details()[features.IMAGE_FLOATS]
    output_details = runner.get_output_details()[features.LOGITS]
    sizes = (1,) if is_batch_fixed(interpreter) else _BATCH_SIZES
    shape = (max(sizes), int(input_details["shape"][1]))
    images = np.random.default_rng(0).random(shape, np.float32)
    pixels = litert.quantize(images, input_details)

    def logits(start: int, size: int) -> np.ndarray:
        try:
            found = runner(**{features.IMAGE_FLOATS: pixels[start : start + size]})
        except (RuntimeError, ValueError, KeyError) as error:
            raise BatchError(
                f"{path}: a batch of {size} failed: {refusals.cause(error)}"
            ) from error
        return litert.dequantize(found[features.LOGITS], output_details)

    alone = np.concatenate([logits(start, 1) for start in range(len(pixels))])
    if not np.isfinite(alone).all():
        raise ConversionError(f"{path}: logits of plain images are not finite")
    tolerance = min(recipe.max_logit_difference, _MAX_BATCH_DIFFERENCE) * spread(alone)
    for size in sizes:
        together, expected = logits(0, size), alone[:size]
        if together.shape != expected.shape or not np.allclose(
            together, expected, rtol=0, atol=tolerance
        ):
            raise BatchError(
                f"{path}: {size} images together give other logits than one by one; the network "
                "mixes the images of a batch"
            )
