"""TFX's TFLite rewriter, with the checks after the conversion that it leaves out."""

import os

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils
from tfx.components.trainer.rewriting import rewriter, rewriter_factory
from tfx.components.trainer.rewriting import tflite_rewriter as tfx_tflite_rewriter

from modules import features, litert

_BATCH_SIZES = (1, 7, 32)


class ConversionError(RuntimeError):
    """A converted model is not what the pipeline, or a device, can use."""


# BaseRewriter is named as well, since TFX's factory only finds its direct subclasses.
class CheckedTFLiteRewriter(tfx_tflite_rewriter.TFLiteRewriter, rewriter.BaseRewriter):
    """Converts a SavedModel's `serving_default` to TFLite and raises unless the result is sound."""

    def _post_rewrite_validate(self, rewritten_model: rewriter.ModelDescription) -> None:
        """Checks the file; see `check_tflite`."""
        path = os.path.join(os.fspath(rewritten_model.path), self._filename)
        check_tflite(path)


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


def operators(path: str) -> list[str]:
    """Returns the names of the operators of a TFLite file, in the order of execution.

    Custom operators (Flex ones included) appear as "CUSTOM:<name>".
    """
    model = flatbuffer_utils.read_model(path)
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
    image = np.linspace(0, 1, features.NUM_PIXELS, dtype=np.float32)
    for batch_size in _BATCH_SIZES:
        try:
            logits = litert.predict(path, np.tile(image, (batch_size, 1)))
        except (RuntimeError, ValueError, KeyError) as error:
            raise ConversionError(f"{path}: a batch of {batch_size} failed: {error}") from error
        if logits.shape[0] != batch_size or not np.isfinite(logits).all():
            raise ConversionError(
                f"{path}: a batch of {batch_size} gave logits of shape {logits.shape}, "
                f"finite: {np.isfinite(logits).all()}"
            )
