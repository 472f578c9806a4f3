"""Reductions as text: "count", "mean(fare)", "by(kind)", "by(kind, mean(fare))", "min(`odd, name`)"."""

import re
from typing import Final

from bigviz.aggregate.reductions.api import by
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.extremes import Max, Min
from bigviz.aggregate.reductions.picks import First, Last
from bigviz.aggregate.reductions.sums import Mean, Sum
from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput

_MOST_CHARACTERS: Final = 4096
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<punctuation>[(),])
      | `(?P<backticks>(?:[^`]|``)*)`
      | "(?P<double>(?:[^"]|"")*)"
      | '(?P<single>(?:[^']|'')*)'
      | (?P<bare>[^(),`"'\s](?:[^(),`"']*[^(),`"'\s])?)
    )\s*""",
    re.VERBOSE,
)
_TAKES_COLUMN: Final[dict[str, type[Count | Presence]]] = {"count": Count, "any": Presence}
_NEEDS_COLUMN: Final[dict[str, type[Sum | Min | Max | First | Last]]] = {
    "sum": Sum,
    "mean": Mean,
    "min": Min,
    "max": Max,
    "first": First,
    "last": Last,
}
_BY: Final = ("by", "count_cat")
NAMES: Final = (*_TAKES_COLUMN, *_NEEDS_COLUMN, "by")


def parse(text: str) -> Reduction:
    """The reduction that a text names.

    A name, then in parentheses its column; `by` takes a category column and, optionally, a second reduction. A column's
    name is written as it is, or, where it holds commas, parentheses, quotes or outer spaces, within backticks or quotes
    (doubled inside). `parse(str(reduction))` is the reduction. Raises BadInput, which names the place of the mistake.
    """
    if len(text) > _MOST_CHARACTERS:
        raise BadInput(f"a reduction has at most {_MOST_CHARACTERS} characters, got {len(text)}", "agg", text[:80])
    parser = _Parser(text)
    reduction = parser.reduction()
    parser.end()
    return reduction


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def reduction(self) -> Reduction:
        start = self.at
        kind, name = self._next()
        if kind != "bare" or name not in (*NAMES, "count_cat"):
            guess = hint(name, NAMES)
            raise self._error(f"expected one of {', '.join(NAMES)}{guess and '.' + guess}", start)
        if not self._skip("("):
            return self._build(name, None, start)
        if name in _TAKES_COLUMN and self._skip(")"):
            return self._build(name, None, start)
        column = self._column()
        inner = self.reduction() if name == "by" and self._skip(",") else None
        if isinstance(inner, By):
            raise self._error("by takes a reduction without categories", start)
        if not self._skip(")"):
            quoting = f'; a column with commas or parentheses is quoted, as in {name}("weight (g)")'
            raise self._error(f"expected ')'{quoting if self.text[self.at :].strip() else ''}", self.at)
        return self._build(name, column, start, inner)

    def end(self) -> None:
        if self.text[self.at :].strip():
            raise self._error("expected nothing more", self.at)

    def _build(self, name: str, column: str | None, start: int, inner: Reduction | None = None) -> Reduction:
        if name in _TAKES_COLUMN:
            return _TAKES_COLUMN[name](column)
        if column is None:
            raise self._error(f"{name} needs a column, as in {name}(column)", start)
        if name in _BY:
            return by(column, inner)
        return _NEEDS_COLUMN[name](column)

    def _column(self) -> str:
        start = self.at
        kind, name = self._next()
        if kind == "punctuation":
            raise self._error("expected a column's name", start)
        quote = {"backticks": "`", "double": '"', "single": "'"}.get(kind)
        return name if quote is None else name.replace(quote * 2, quote)

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            problem = "expected a name" if self.text[self.at :].strip() else "the text ends too soon"
            raise self._error(problem, self.at)
        self.at = match.end()
        return match.lastgroup, match.group(match.lastgroup)

    def _skip(self, mark: str) -> bool:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match.group("punctuation") != mark:
            return False
        self.at = match.end()
        return True

    def _error(self, problem: str, at: int) -> BadInput:
        return BadInput(f"reduction {echoed(self.text)}, character {at + 1}: {problem}", "agg", self.text)
