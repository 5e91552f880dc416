"""TFX's TFLite rewriter, with the checks after the conversion that it leaves out."""

import os
import struct

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils
from tfx.components.trainer.rewriting import rewriter, rewriter_factory
from tfx.components.trainer.rewriting import tflite_rewriter as tfx_tflite_rewriter

from modules import features, litert

_BATCH_SIZES = (1, 7, 32)  # to try


class ConversionError(RuntimeError):
    """A converted model is not what the pipeline, or a device, can use."""


# BaseRewriter is named as well, since TFX's factory only finds its direct subclasses.
class CheckedTFLiteRewriter(tfx_tflite_rewriter.TFLiteRewriter, rewriter.BaseRewriter):
    """Converts a SavedModel that takes one example; the result takes any number, or it raises."""

    def _rewrite(
        self,
        original_model: rewriter.ModelDescription,
        rewritten_model: rewriter.ModelDescription,
    ) -> None:
        """Converts as TFX does, then frees the batch; see `make_batch_resizable`."""
        super()._rewrite(original_model, rewritten_model)
        make_batch_resizable(self._output_path(rewritten_model))

    def _post_rewrite_validate(self, rewritten_model: rewriter.ModelDescription) -> None:
        """Checks the file; see `check_tflite`."""
        check_tflite(self._output_path(rewritten_model))

    def _output_path(self, rewritten_model: rewriter.ModelDescription) -> str:
        return os.path.join(os.fspath(rewritten_model.path), self._filename)


def rewrite(saved_model_dir: str, destination: str) -> str:
    """Writes `destination`/tflite, converted from a SavedModel that takes `image_floats`.

    Returns:
      The path of the TFLite file.

    Raises:
      ConversionError: the converted model failed a check.
    """
    converter = rewriter_factory.create_rewriter(
        CheckedTFLiteRewriter.__name__,
        name="float32",
        filename=features.TFLITE_FILE,
        copy_assets=False,
        copy_assets_extra=False,
    )
    converter.perform_rewrite(
        rewriter.ModelDescription(rewriter.ModelType.SAVED_MODEL, saved_model_dir),
        rewriter.ModelDescription(rewriter.ModelType.TFLITE_MODEL, destination),
    )
    return os.path.join(destination, features.TFLITE_FILE)


def make_batch_resizable(path: str) -> None:
    """Turns the batch of 1 that a TFLite file was traced with into one of any size.

    Every tensor that is computed gets the shape signature [-1, ...], by which interpreters know
    that it can be resized, and every RESHAPE to [1, ...] becomes one to [-1, ...].
    """
    model = _read_model(path)
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        is_constant = model.buffers[tensor.buffer].data is not None
        shape = [] if tensor.shape is None else list(tensor.shape)
        if not is_constant and shape[:1] == [1]:
            tensor.shapeSignature = np.array([-1, *shape[1:]], np.int32)
    for operator, name in zip(graph.operators, operators(path), strict=True):
        if name == "RESHAPE":
            target = model.buffers[graph.tensors[operator.inputs[1]].buffer]
            shape = np.frombuffer(bytes(target.data), np.int32).copy()
            if shape[0] == 1 and -1 not in shape:
                shape[0] = -1
                target.data = np.frombuffer(shape.tobytes(), np.uint8)
    flatbuffer_utils.write_model(model, path)


def _read_model(path: str) -> schema.ModelT:
    try:
        return flatbuffer_utils.read_model(path)
    except (struct.error, TypeError, ValueError, IndexError) as error:
        raise ConversionError(f"{path}: not a whole TFLite file: {error}") from error


def operators(path: str) -> list[str]:
    """Returns the names of the operators of a TFLite file, in the order of execution.

    Custom operators (Flex ones included) appear as "CUSTOM:<name>".
    """
    model = _read_model(path)
    builtin_names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()
    }
    names = []
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        # Codes below 127 may be stored in the older, one-byte field alone.
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        name = builtin_names[builtin]
        custom = code.customCode
        names.append(f"CUSTOM:{custom.decode()}" if custom else name)
    return names


def check_tflite(path: str) -> None:
    """Raises ConversionError unless the model is one that TFMA and a device can run.

    Its one input must be the float32 feature `image_floats` of 784 values (TFMA feeds -1 to a
    name that it does not know), its one output `logits`, its batch must be resizable, and its
    operators must be TFLite's own.
    """
    custom = [name for name in operators(path) if name.startswith("CUSTOM:")]
    if custom:
        raise ConversionError(f"{path}: operators outside TFLITE_BUILTINS: {sorted(set(custom))}")
    interpreter = litert.make_interpreter(path)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    names = [entry["name"].removeprefix("serving_default_").split(":")[0] for entry in inputs]
    if names != [features.IMAGE_FLOATS]:
        raise ConversionError(f"{path}: inputs {names}, expected ['{features.IMAGE_FLOATS}']")
    if list(inputs[0]["shape_signature"]) != [-1, features.NUM_PIXELS]:
        raise ConversionError(
            f"{path}: input shape {list(inputs[0]['shape_signature'])}, expected "
            f"[-1, {features.NUM_PIXELS}]"
        )
    if inputs[0]["dtype"] != np.float32 or len(outputs) != 1:
        raise ConversionError(
            f"{path}: expected one float32 input and one output, found {inputs[0]['dtype']} and "
            f"{len(outputs)} outputs"
        )
    images = np.random.default_rng(0).random((max(_BATCH_SIZES), features.NUM_PIXELS), np.float32)
    alone = np.concatenate([_try_batch(path, image[np.newaxis]) for image in images])
    if not np.isfinite(alone).all():
        raise ConversionError(f"{path}: logits of plain images are not finite")
    for batch_size in _BATCH_SIZES:
        together = _try_batch(path, images[:batch_size])
        if together.shape != alone[:batch_size].shape or not np.allclose(
            together, alone[:batch_size], rtol=1e-4, atol=1e-4
        ):
            raise ConversionError(
                f"{path}: {batch_size} images together give other logits than one by one; the "
                "network may hold a batch size of its own"
            )


def _try_batch(path: str, images: np.ndarray) -> np.ndarray:
    try:
        return litert.predict(path, images)
    except (RuntimeError, ValueError, KeyError) as error:
        raise ConversionError(f"{path}: a batch of {len(images)} failed: {error}") from error
