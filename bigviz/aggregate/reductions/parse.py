"""Reductions of texts: "count", "mean(fare)", "by(kind)", "by(kind, mean(fare))", "min(`odd, name`)"."""

from typing import Final

from bigviz.aggregate.reductions.api import by
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.extremes import Max, Min
from bigviz.aggregate.reductions.picks import First, Last
from bigviz.aggregate.reductions.sums import Mean, Sum
from bigviz.aggregate.reductions.text import BY, NAMES, ReductionText, read_reduction

__all__ = ["NAMES", "parse"]

_TAKES_COLUMN: Final[dict[str, type[Count | Presence]]] = {"count": Count, "any": Presence}
_NEEDS_COLUMN: Final[dict[str, type[Sum | Min | Max | First | Last]]] = {
    "sum": Sum,
    "mean": Mean,
    "min": Min,
    "max": Max,
    "first": First,
    "last": Last,
}


def parse(text: str) -> Reduction:
    """The reduction that a text names.

    A name, then in parentheses its column; `by` takes a category column and, optionally, a second reduction. A column's
    name is written as it is, or, where it holds commas, parentheses, quotes or outer spaces, within backticks or quotes
    (doubled inside). `parse(str(reduction))` is the reduction. Raises BadInput, which names the place of the mistake.
    """
    return _made(read_reduction(text))


def _made(said: ReductionText) -> Reduction:
    if said.name in BY:
        assert said.column is not None
        return by(said.column, None if said.inner is None else _made(said.inner))
    if said.name in _TAKES_COLUMN:
        return _TAKES_COLUMN[said.name](said.column)
    assert said.column is not None
    return _NEEDS_COLUMN[said.name](said.column)
