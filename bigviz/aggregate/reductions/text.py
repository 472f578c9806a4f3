"""The text form of a reduction: "count", "mean(fare)", "by(kind)", "by(kind, mean(fare))", "min(`odd, name`)".

It is read without the reductions themselves, whose kernels need numba.
"""

import re
from dataclasses import dataclass
from typing import Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput

__all__ = ["BY", "MAY_TAKE_COLUMN", "NAMES", "NEEDS_COLUMN", "ReductionText", "read_reduction"]

MAY_TAKE_COLUMN: Final = ("count", "any")
NEEDS_COLUMN: Final = ("sum", "mean", "min", "max", "first", "last")
BY: Final = ("by", "count_cat")
NAMES: Final = (*MAY_TAKE_COLUMN, *NEEDS_COLUMN, "by")

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


@dataclass(frozen=True)
class ReductionText:
    """A reduction as it is written: its name, its column, and what `by` reduces in each category (None: count)."""

    name: str
    column: str | None = None
    inner: "ReductionText | None" = None


def read_reduction(text: str) -> ReductionText:
    """What a text says, as `bigviz.aggregate.reductions.parse.parse` describes it. Raises BadInput, which names the
    place of the mistake."""
    if len(text) > _MOST_CHARACTERS:
        raise BadInput(f"a reduction has at most {_MOST_CHARACTERS} characters, got {len(text)}", "agg", text[:80])
    parser = _Parser(text)
    found = parser.reduction()
    parser.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def reduction(self) -> ReductionText:
        start = self.at
        kind, name = self._next()
        if kind != "bare" or name not in (*NAMES, "count_cat"):
            guess = hint(name, NAMES)
            raise self._error(f"expected one of {', '.join(NAMES)}{guess and '.' + guess}", start)
        if not self._skip("("):
            return self._made(name, None, start)
        if name in MAY_TAKE_COLUMN and self._skip(")"):
            return self._made(name, None, start)
        column = self._column()
        inner = self.reduction() if name == "by" and self._skip(",") else None
        if inner is not None and inner.name in BY:
            raise self._error("by takes a reduction without categories", start)
        if not self._skip(")"):
            quoting = f'; a column with commas or parentheses is quoted, as in {name}("weight (g)")'
            raise self._error(f"expected ')'{quoting if self.text[self.at :].strip() else ''}", self.at)
        return self._made(name, column, start, inner)

    def end(self) -> None:
        if self.text[self.at :].strip():
            raise self._error("expected nothing more", self.at)

    def _made(self, name: str, column: str | None, start: int, inner: ReductionText | None = None) -> ReductionText:
        if column is None and name not in MAY_TAKE_COLUMN:
            raise self._error(f"{name} needs a column, as in {name}(column)", start)
        return ReductionText(name, column, inner)

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
