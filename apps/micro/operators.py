"""What an operator of TFLite's is called in the resolver of TensorFlow Lite Micro.

The methods are those of `MicroMutableOpResolver`, see
https://github.com/tensorflow/tflite-micro/blob/main/tensorflow/lite/micro/micro_mutable_op_resolver.h
"""

import re
from collections.abc import Iterable

from data.errors import DataError

_BUILTIN = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", re.ASCII)
# All others are put together from the words of the operator's name.
_IRREGULAR = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}


def methods(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the methods that add these operators, each once and in alphabetical order.

    Args:
      names: of the operators, as "CONV_2D".

    Raises:
      DataError: one is no built-in operator.
    """
    return tuple(sorted({_method(name) for name in names}))


def _method(name: str) -> str:
    if not _BUILTIN.fullmatch(name):
        raise DataError(
            f"operator {name!r}: expected one of TFLite's built-in ones, which TensorFlow Lite "
            "Micro has a method for; build the model of those"
        )
    return "Add" + _IRREGULAR.get(name, "".join(_capitalized(word) for word in name.split("_")))


def _capitalized(word: str) -> str:
    """Returns "2D" as it is, and any other word with one capital: "Conv", "L2"."""
    return word if word[0].isdigit() else word.capitalize()
