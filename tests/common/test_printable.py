"""Whatever a name holds, a terminal shows it and does not obey it."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput, BigvizError
from bigviz.common.printable import encodable, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("naïve café, 東京 [bold] \\x1b", "naïve café, 東京 [bold] \\x1b"),
        ("\x1b]0;title\x07\x1b[2J", "\\x1b]0;title\\x07\\x1b[2J"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("fare\u202egnp.exe\u2066", "fare\\u202egnp.exe\\u2066"),
        ("\u2028\u2029\ufeff\u200b\U000e0041", "\\u2028\\u2029\\ufeff\\u200b\\U000e0041"),
        ("\udcff.parquet", "\\udcff.parquet"),
        ("1\xa0000\u3000\u2009", "1\xa0000\u3000\u2009"),
        ("👩\u200d👩, \u0645\u200c\u062e", "👩\u200d👩, \u0645\u200c\u062e"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert BadInput(text).message == str(BadInput(text)) == shown


def test_every_character_that_is_obeyed() -> None:
    """Categories: control, formatting, half, private, unassigned, line and paragraph separators."""
    for code in (*range(0x3000), *range(0xD800, 0xE010), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0200)):
        letter = chr(code)
        obeyed = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and code not in (
            0x200C,
            0x200D,
        )
        assert (printable(letter) != letter) == obeyed, hex(code)


@given(st.text())
def test_it_is_encodable_and_stays_the_same(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown and printable(text, keep="\n").count("\n") == text.count("\n")
    shown.encode(sys.stdout.encoding or "utf-8")


def test_halves_of_characters_are_escaped_for_utf_8() -> None:
    assert encodable("b\udcff\n日") == "b\\udcff\n日"


def test_messages_of_several_lines() -> None:
    class Told(BigvizError):
        several_lines = True

    assert Told("a\n\x1b[2J").message == "a\n\\x1b[2J"
