"""How texts of settings become values."""

import pytest

from data.errors import ConfigError
from data.texts import check_texts, number, switch


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [("", int, 7), ("3", int, 3), ("03", int, 3), ("1.5", float, 1.5), (".5e1", float, 5.0)],
)
def test_numbers(text: str, kind: type, value: float) -> None:
    assert number({"X": text}, "X", kind, 7, 0, 9) == value
    assert number({}, "X", kind, None, 0, 9) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *(("10", int), ("-1", int), ("1.5", int), ("1_0", int), (" 1", int), ("\u0663", int)),
        *(("nan", float), ("inf", float), ("9.1", float), ("1" * 31, float), ("x", float)),
    ],
)
def test_what_is_no_number_within_the_bounds_is_named(text: str, kind: type) -> None:
    with pytest.raises(ConfigError, match=r"^X=.*: expected a (whole )?number from 0 to 9$"):
        number({"X": text}, "X", kind, 7, 0, 9)


def test_switches() -> None:
    assert [switch({"X": text}, "X", True) for text in ("", "0", "1")] == [True, False, True]
    with pytest.raises(ConfigError, match="X=yes"):
        switch({"X": "yes"}, "X", True)


@pytest.mark.parametrize("text", ["a\nb", "\x00", "\u2028", "\udc80"])
def test_what_is_no_text_for_a_line_is_refused(text: str) -> None:
    check_texts({"X": "ä b", "Y": text}, ("X", "Z"))
    with pytest.raises(ConfigError, match="^Y=.*without control characters"):
        check_texts({"Y": text}, ("Y",))
