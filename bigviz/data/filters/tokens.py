"""An expression as tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from bigviz.common.bounded_repr import echoed
from bigviz.data.filters.faults import fault

__all__ = ["KEYWORDS", "MOST_CHARACTERS", "NAME", "Kind", "Token", "tokens"]

MOST_CHARACTERS: Final = 10_000
_MOST_DIGITS: Final = 100
KEYWORDS: Final = frozenset({"or", "and", "not", "between", "in", "is", "null", "true", "false"})
NAME: Final = re.compile(r"[^\W\d]\w*")
"""A name that needs no back quotes, unless it is a keyword."""

Kind = Literal["number", "text", "name", "quoted", "control", "keyword", "symbol", "end"]
_PATTERN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<control>\$[A-Za-z_][A-Za-z0-9_]*)
      | (?P<name>[^\W\d]\w*)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<quoted>`(?:[^`]|``)*`)
      | (?P<symbol>==|!=|<=|>=|<(?!>)|[=>+\-*/%(),])""",
    re.VERBOSE,
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_QUOTES: Final = {"'": "text", '"': "text", "`": "a column's name"}
_INSTEAD: Final = {
    "<>": "Write !=.",
    "&": "Write and.",
    "|": "Write or.",
    "!": "Write not, or != for a comparison.",
    "~": "Write not.",
    ".": "A column whose name has a dot stands in back quotes, as `a.b`.",
    "$": "A control is $ and its name, as $kind.",
    "[": "A list stands in parentheses, as in (1, 2).",
    "^": "There are no powers.",
    ";": "A filter is one expression.",
    ":": "Times are text, as '2024-01-31T12:00'.",
}


class Token(NamedTuple):
    """A token: its text as it was written, what it stands for (quotes taken off, keywords in small letters), and its
    first character."""

    kind: Kind
    raw: str
    value: str
    at: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of an expression, then one of the kind "end", in time in proportion to the text. Raises BadInput."""
    lone = _SURROGATE.search(text)
    if lone is not None:
        raise fault("Half of a character of UTF-16 is no character.", lone.start(), lone.group())
    at = 0
    while at < len(text):
        found = _PATTERN.match(text, at)
        if found is None:
            raise _unknown(text, at)
        kind, raw = found.lastgroup, found.group()
        if kind != "space":
            yield _token(str(kind), raw, at)
        at = found.end()
        if kind == "number" and NAME.match(text, at):
            raise fault(f"A number does not end with {text[at]!r}. A name begins with a letter.", at, text[at])
    yield Token("end", "", "", len(text))


def _token(kind: str, raw: str, at: int) -> Token:
    if kind == "name":
        word = raw.lower()
        return Token("keyword", raw, word, at) if word in KEYWORDS else Token("name", raw, raw, at)
    if kind == "control":
        return Token("control", raw, raw[1:], at)
    if kind == "text" or kind == "quoted":
        quote = raw[0]
        return Token("text" if kind == "text" else "quoted", raw, raw[1:-1].replace(quote * 2, quote), at)
    if kind == "number":
        digits = len(raw.lower().partition("e")[0].replace(".", ""))
        if digits > _MOST_DIGITS:
            raise fault(f"A number has at most {_MOST_DIGITS} digits, this one {digits:,}.", at, raw[:20])
        return Token("number", raw, raw, at)
    return Token("symbol", raw, "=" if raw == "==" else raw, at)


def _unknown(text: str, at: int) -> Exception:
    letter = text[at]
    if letter in _QUOTES:
        return fault(f"Here {_QUOTES[letter]} begins that does not end: {letter} is missing.", at, text[at : at + 20])
    instead = _INSTEAD.get(text[at : at + 2]) or _INSTEAD.get(letter)
    return fault(f"{echoed(letter)} has no place in a filter.{' ' + instead if instead else ''}", at, letter)
