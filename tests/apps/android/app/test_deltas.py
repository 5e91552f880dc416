"""Deltas, by a reader that is as simple as the form allows."""

import struct

import numpy as np
import pytest

from apps.android import deltas


def applied(delta: bytes, bases: dict[str, bytes]) -> bytes:
    """Reads a delta as the docstring of `deltas` says."""
    length = struct.unpack_from(">H", delta)[0]
    base = bases[delta[2 : 2 + length].decode()]
    at, made = 2 + length + 4, b""
    total = struct.unpack_from(">I", delta, 2 + length)[0]
    while len(made) < total:
        kind, count = struct.unpack_from(">BI", delta, at)
        at += 5
        if kind == deltas.LITERAL:
            made += delta[at : at + count]
            at += count
            continue
        start = struct.unpack_from(">I", delta, at)[0]
        at += 4
        if kind == deltas.COPY:
            made += base[start : start + count]
        else:
            made += np.frombuffer(base, "<f4", count // 2, start).astype("<f2").tobytes()
    assert at == len(delta) and len(made) == total
    return made


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """Numbers as a layer has them, float32[20000]."""
    return np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)


def test_what_both_have_is_copied(weights: np.ndarray) -> None:
    base = b"head" * 100 + weights.tobytes() + b"tail"
    content = b"another head, longer" + weights.tobytes() + b"end"
    delta = deltas.delta("base", base, content)
    assert applied(delta, {"base": base}) == content
    assert len(delta) < 1000


def test_float16_is_made_of_float32(weights: np.ndarray) -> None:
    base = b"head" * 100 + weights.tobytes()
    content = b"begin" * 2 + weights.astype(np.float16).tobytes() + b"end"
    delta = deltas.delta("base", base, content)
    assert applied(delta, {"base": base}) == content
    assert len(delta) < 1000


@pytest.mark.parametrize("content", [b"", b"x", b"z" * 5000, bytes(range(256)) * 40])
def test_what_is_unlike_stays_as_it_is(weights: np.ndarray, content: bytes) -> None:
    for base in (weights.tobytes(), b"", b"abc", content):
        assert applied(deltas.delta("base", base, content), {"base": base}) == content


def test_a_base_with_what_is_no_number(weights: np.ndarray) -> None:
    """Text read as float32 is NaN and infinity here and there, which must not be copied as such."""
    base = b"\xff" * 8192 + weights.tobytes()
    content = weights.astype(np.float16).tobytes() + b"\xff\x7f" * 4096
    assert applied(deltas.delta("base", base, content), {"base": base}) == content
