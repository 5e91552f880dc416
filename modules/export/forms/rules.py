"""What is done to a network before TensorFlow, or TFLite's converter, reads it."""

from collections.abc import Sequence
from typing import Any

from modules.export.forms import control, dataflow, elementwise, windows
from modules.export.trained import Inference
from modules.jaxprs import rewriting
from modules.jaxprs.rewriting import Equation


def for_tensorflow(inference: Inference) -> Inference:
    """Returns the same function without what the locked TensorFlow cannot read."""
    return rewriting.rewritten(inference, _tensorflow, _concerns_tensorflow)


def for_tflite(inference: Inference, integers: bool = False) -> Inference:
    """Returns the same function in operations that TFLite's converter knows, for any batch.

    Args:
      inference: of the network.
      integers: whether the activations will be.
    """
    without = rewriting.rewritten(inference, _tflite, _concerns_tflite)
    return dataflow.with_dataflow(without, integers)


def _concerns_tensorflow(equation: Equation) -> bool:
    return elementwise.has_form(equation, elementwise.FOR_TENSORFLOW)


def _tensorflow(equation: Equation, operands: list[Any]) -> Sequence[Any]:
    if _concerns_tensorflow(equation):
        return elementwise.form(equation, operands, elementwise.FOR_TENSORFLOW)
    return rewriting.as_it_is(equation, operands, _tensorflow)


def _concerns_tflite(equation: Equation) -> bool:
    return (
        elementwise.has_form(equation, elementwise.FOR_TFLITE)
        or elementwise.is_clipped_gather(equation)
        or elementwise.is_logaddexp(equation)
        or windows.concerns(equation)
        or control.concerns(equation)
    )


def _tflite(equation: Equation, operands: list[Any]) -> Sequence[Any]:
    if elementwise.has_form(equation, elementwise.FOR_TFLITE):
        return elementwise.form(equation, operands, elementwise.FOR_TFLITE)
    if elementwise.is_clipped_gather(equation):
        return elementwise.clipped_gather(equation, operands)
    if elementwise.is_logaddexp(equation):
        return elementwise.logaddexp(operands)
    if windows.concerns(equation):
        return windows.form(equation, operands)
    if control.concerns(equation):
        return control.form(equation, operands, _tflite)
    return rewriting.as_it_is(equation, operands, _tflite)
