"""Values in C, as a compiler reads them."""

import numpy as np
import pytest

from apps.micro import c_text


@pytest.mark.parametrize("number", [1 / 255, 0.19880147, 1.0, 2.0**40, 1e-45, 3.4e38])
def test_a_float_is_read_as_the_same_float(number: float) -> None:
    literal = c_text.float_literal(number)
    assert literal.endswith("f") and ("." in literal or "e" in literal)
    assert np.float32(literal[:-1]) == np.float32(number)


def test_numbers_stand_in_lines() -> None:
    assert c_text.numbers([-128, 0, 127]) == "  -128, 0, 127,"
    assert c_text.numbers(bytes(17)).count("\n") == 1


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("seven 7", '"seven 7"'),
        ('a"b\\', '"a\\042b\\134"'),
        ("\n7", '"\\0127"'),
        ("??/", '"\\077\\077/"'),
        ("é", '"\\303\\251"'),
    ],
)
def test_a_text_is_a_literal_of_its_bytes(text: str, literal: str) -> None:
    assert c_text.string_literal(text) == literal
