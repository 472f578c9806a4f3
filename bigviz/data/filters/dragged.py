"""The part of a filter that a control moves: a range of one column, beside conditions that stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nextafter
from typing import Final

from bigviz.data.filters.check import check
from bigviz.data.filters.table import Table
from bigviz.data.filters.tree import And, Between, ColumnName, Compare, Control, Expression, Node, walk
from bigviz.data.filters.typed.conditions import AllOf, Condition
from bigviz.data.filters.typed.numbers import NumberColumn
from bigviz.data.filters.typed.ranges import FloatRange, WholeRange

__all__ = ["Moving", "moved_by", "range_of"]

Number = int | float

_RANGES: Final = ("=", "<", "<=", ">", ">=")
_KINDS: Final = ("integer", "float", "instant", "time", "duration")


@dataclass(frozen=True)
class Moving:
    """A filter in two, joined by `and`: `part` compares `column` with a control, `rest` is the others (None: none)."""

    column: str
    part: Expression
    rest: Expression | None


def moved_by(expression: Expression, control: str) -> Moving | None:
    """The filter in two, if the control stands in it once, in a comparison or `between` of a column that is a condition
    by itself or one of those of the outermost `and`; else None."""
    if sum(isinstance(each, Control) and each.name == control for each in walk(expression.root)) != 1:
        return None
    root = expression.root
    items = root.items if isinstance(root, And) else (root,)
    part = next(item for item in items if any(isinstance(n, Control) and n.name == control for n in walk(item)))
    column = _column_of(part)
    if column is None:
        return None
    others = tuple(item for item in items if item is not part)
    rest = None if not others else Expression(others[0] if len(others) == 1 else And(others))
    return Moving(column, Expression(part), rest)


def _column_of(part: Node) -> str | None:
    """The column that a condition compares with values alone."""
    if isinstance(part, Compare) and part.op in _RANGES:
        sides = [part.left, part.right]
    elif isinstance(part, Between) and not part.negated:
        sides = list(part.children)
    else:
        return None
    columns = [each for each in sides if isinstance(each, ColumnName)]
    named = sum(isinstance(each, ColumnName) for each in walk(part))
    if len(columns) != 1 or named != 1 or (isinstance(part, Between) and columns[0] is not part.operand):
        return None
    return columns[0].name


def range_of(part: Expression, dataset: Table, complete: Callable[[str], bool]) -> tuple[Number, Number] | None:
    """The half-open range of axis numbers `[low, high)` of the rows that a comparison without controls keeps.

    Exactly these: a closed end is the next number of its type. An infinite end leaves its side open, so that infinities
    are in it; NaN and null lie in no range; equal ends hold nothing. None where numbers do not say it: decimals,
    columns of categories, ends at the largest float, and times that may be out of range where a row has no number
    (`complete(name)`: every row has one). Raises BadInput as `check` does.
    """
    predicate = check(part, dataset)
    condition = predicate.condition
    ends = [_ends(each) for each in (condition.items if isinstance(condition, AllOf) else (condition,))]
    if any(each is None for each in ends) or not predicate.decided_by_numbers(complete):
        return None
    low = max(each[0] for each in ends if each is not None)
    high = min(each[1] for each in ends if each is not None)
    return low, max(low, high)


def _ends(condition: Condition) -> tuple[Number, Number] | None:
    if not isinstance(condition, WholeRange | FloatRange):
        return None
    of = condition.of
    if not isinstance(of, NumberColumn) or not of.has_axis or of.kind not in _KINDS:
        return None
    if isinstance(condition, WholeRange):
        low, high = condition.low, condition.high
        return -inf if low is None else low, inf if high is None else high + 1
    first = nextafter(condition.low, inf) if condition.open_low else condition.low
    stop = condition.high if condition.open_high else nextafter(condition.high, inf)
    is_open = condition.high == inf and not condition.open_high
    return None if first == inf or (stop == inf and not is_open) else (first, stop)
