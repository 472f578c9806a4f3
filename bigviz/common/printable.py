"""Text that is not ours (names of files and columns, messages) as a terminal may show it, and as UTF-8 holds it."""

from __future__ import annotations

import unicodedata

__all__ = ["encodable", "printable"]

_JOINERS = "\u200c\u200d"
"""Parts of words in several scripts, and of emoji; `str.isprintable` counts them as formatting."""


def printable(text: str, keep: str = "") -> str:
    r"""The text with all that a terminal would obey, not show, escaped: `\x1b` for an escape, `\n` for a new line.

    Control characters, marks that turn the direction of writing, other formatting characters, halves of characters
    (which stand for bytes of file names that are not UTF-8), private and unassigned ones are written as Python would
    write them. Characters in `keep`, spaces of any width and joiners stay.
    """
    if text.isprintable():
        return text
    return "".join(letter if _is_shown(letter) or letter in keep else _escaped(letter) for letter in text)


def encodable(text: str) -> str:
    r"""The text with halves of characters, which UTF-8 has not, escaped: `\udcff` for the byte ff of a file's name."""
    return text.encode(errors="backslashreplace").decode()


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return repr(letter)[1:-1]
