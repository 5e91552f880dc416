"""How values become C, so that no compiler can take a text for anything else."""

from collections.abc import Iterable

import numpy as np

_A_LINE = 16  # numbers
# Escapes of three octal digits end there, whatever follows. "?" might begin a trigraph.
_NEEDS_ESCAPE = frozenset('"\\?')


def string_literal(text: str) -> str:
    """Returns any text as a C string literal of its UTF-8 bytes.

    Half of a surrogate pair, which is no text in UTF-8, becomes "?".
    """
    return '"' + "".join(_escaped(byte) for byte in text.encode(errors="replace")) + '"'


def float_literal(number: float) -> str:
    """Returns a float32 as a C literal of that very float."""
    literal = np.format_float_scientific(np.float32(number), unique=True, trim="0")
    return f"{literal}f"


def numbers(values: bytes | Iterable[int], indent: str = "  ") -> str:
    """Returns integers as the inner lines of an array's initializer."""
    texts = [str(value) for value in values]
    lines = (texts[start : start + _A_LINE] for start in range(0, len(texts), _A_LINE))
    return "\n".join(f"{indent}{', '.join(line)}," for line in lines)


def _escaped(byte: int) -> str:
    letter = chr(byte)
    return letter if 32 <= byte < 127 and letter not in _NEEDS_ESCAPE else f"\\{byte:03o}"
