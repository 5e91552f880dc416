"""Files of which most is in another one, as what they differ in: models of one network are alike.

A delta is read by `Delta.java` of the app. All numbers are big-endian, as Java's DataInputStream
reads them:

1. Two bytes with the length of the base's name, and the name in UTF-8.
2. Four bytes with the length of the file.
3. Parts, until the file is complete. Each begins with a byte that says its kind and four bytes with
   how many bytes of the file it makes. 0: these bytes follow. 1: four bytes follow that say from
   where they are copied in the base. 2: four bytes follow that say from where on the base has
   float32 numbers (little-endian), which become float16, rounded to the nearest (even) one.
"""

import dataclasses
import struct

import numpy as np

LITERAL, COPY, HALVES = 0, 1, 2
_STEP = 64  # bytes: shorter pieces are not looked for
_LEAST = 1024  # bytes that a copy has to save


@dataclasses.dataclass(frozen=True)
class _Piece:
    """Bytes of a file that another one has: `length` at `start`, from `origin` on."""

    start: int
    length: int
    origin: int


def delta(base_name: str, base: bytes, content: bytes) -> bytes:
    """Returns `content` as a delta to `base`.

    Args:
      base_name: by which the reader knows the base, in ASCII.
      base: a file.
      content: another one.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        floats = np.frombuffer(base, "<f4", len(base) // 4)
        halves = floats.astype("<f2").tobytes()
    # Of float16, an offset in the base is twice that in `halves`.
    found = [(COPY, 1, piece) for piece in _pieces(base, content)]
    found += [(HALVES, 2, piece) for piece in _pieces(halves, content)]
    parts, at = [], 0
    for kind, scale, piece in sorted(found, key=lambda each: each[2].start):
        if piece.start < at:
            continue
        parts.append(_literal(content[at : piece.start]))
        parts.append(struct.pack(">BII", kind, piece.length, scale * piece.origin))
        at = piece.start + piece.length
    parts.append(_literal(content[at:]))
    name = base_name.encode("ascii")
    return struct.pack(">H", len(name)) + name + struct.pack(">I", len(content)) + b"".join(parts)


def _literal(content: bytes) -> bytes:
    return struct.pack(">BI", LITERAL, len(content)) + content if content else b""


def _pieces(base: bytes, content: bytes) -> list[_Piece]:
    """Returns long pieces that both have, even in start, origin and length, from left to right."""
    places: dict[bytes, int] = {}
    for origin in range(0, len(base) - _STEP, 2 * _STEP):
        places.setdefault(base[origin : origin + _STEP], origin)
    pieces, at = [], 0
    while at < len(content) - _STEP:
        origin = places.get(content[at : at + _STEP])
        length = _length(base, origin, content, at) if origin is not None else 0
        if length >= _LEAST:
            pieces.append(_Piece(at, length, origin))
        at += max(length, 2)
    return pieces


def _length(base: bytes, origin: int, content: bytes, start: int) -> int:
    """Returns how many bytes are the same from there on, an even number."""
    most = min(len(base) - origin, len(content) - start)
    same = np.frombuffer(base, np.uint8, most, origin) == np.frombuffer(
        content, np.uint8, most, start
    )
    length = most if same.all() else int(same.argmin())
    return length - length % 2
