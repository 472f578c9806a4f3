"""Conditions with types, joined by the logic of three values: true, false, null.

A condition is asked for its `truths` in a slice of rows (with `nulls` also for where it is null, which only `not` and
comparisons of conditions want to know), and, before any row is read, for what it could be (`outcomes`), and for bounds
of a column that hold wherever it is true (`bounds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from bigviz.data.filters.cells import Bools, Rows, Truths
from bigviz.data.filters.typed.outcomes import FALSE, NULL, TRUE, UNKNOWN
from bigviz.data.statistics.values import Statistics

__all__ = [
    "AllOf", "AnyOf", "Condition", "Contrary", "Interval", "IsMissing", "Known", "Leaf", "Operand",
    "Statistic", "Unsure", "judged", "unsure_of",
]  # fmt: skip

Statistic = Callable[[str], Statistics | None]


class Interval(NamedTuple):
    """Both ends included; None where there is none."""

    low: int | float | None
    high: int | float | None

    def meet(self, other: Interval) -> Interval:
        """What lies in both; `low` is above `high` if nothing does."""
        lows = [each for each in (self.low, other.low) if each is not None]
        highs = [each for each in (self.high, other.high) if each is not None]
        return Interval(max(lows, default=None), min(highs, default=None))

    def hull(self, other: Interval) -> Interval:
        """The least that holds both."""
        low = None if self.low is None or other.low is None else min(self.low, other.low)
        high = None if self.high is None or other.high is None else max(self.high, other.high)
        return Interval(low, high)


class Unsure(NamedTuple):
    """A column whose axis numbers may not say what a condition is: never (`always`), or where a row has none: such
    rows were null, NaN, or times out of range."""

    name: str
    always: bool


class Condition(Protocol):
    """A condition on rows."""

    def truths(self, rows: Rows, nulls: bool) -> Truths: ...

    def outcomes(self, statistic: Statistic) -> int:
        """What it could be in rows with these statistics, as bits `TRUE`, `FALSE`, `NULL`."""
        ...

    def bounds(self) -> Mapping[str, Interval]:
        """Axis numbers between which a column lies wherever the condition is true, unless it has none there."""
        ...

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        """What axis numbers do not say, where it matters; `negated` within an odd number of `not`."""
        ...


class Operand(Protocol):
    """Something with a value in each row, which may be missing. `sources` are the columns that it is made of, each with
    what its axis numbers may not tell: "decimal" (any row), "far" (times out of range), "float" (NaN from null); other
    words stand for nothing."""

    @property
    def kind(self) -> str: ...

    @property
    def sources(self) -> tuple[tuple[str, str], ...]: ...

    def valid(self, rows: Rows) -> Bools | None: ...


def judged(true: Bools, valid: Bools | None, nulls: bool) -> Truths:
    """Truths of a comparison whose operands are valid where `valid` says."""
    if valid is None:
        return Truths(true)
    return Truths(true & valid, ~valid if nulls else None)


class Leaf:
    """What most conditions say: nothing before they are evaluated."""

    def outcomes(self, statistic: Statistic) -> int:
        return UNKNOWN

    def bounds(self) -> Mapping[str, Interval]:
        return {}


class Known(Leaf):
    """true, false, or null in every row."""

    def __init__(self, value: bool | None) -> None:
        self.value = value

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        null = np.ones(1, np.bool_) if self.value is None and nulls else None
        return Truths(np.full(1, self.value is True), null)

    def outcomes(self, statistic: Statistic) -> int:
        return NULL if self.value is None else TRUE if self.value else FALSE

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return iter(())


class Contrary:
    """`not`: null stays null."""

    def __init__(self, of: Condition) -> None:
        self.of = of

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        true, null = self.of.truths(rows, True)
        return Truths(~true if null is None else ~(true | null), null)

    def outcomes(self, statistic: Statistic) -> int:
        inner = self.of.outcomes(statistic)
        return (FALSE if inner & TRUE else 0) | (TRUE if inner & FALSE else 0) | inner & NULL

    def bounds(self) -> Mapping[str, Interval]:
        return {}

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return self.of.unsure(not negated)


class AllOf:
    """`and`: false if any is false, else null if any is null."""

    def __init__(self, items: Sequence[Condition]) -> None:
        self.items = tuple(items)

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        true, null = self.items[0].truths(rows, nulls)
        for each in self.items[1:]:
            if not nulls and not true.any():
                return Truths(true)
            also, unknown = each.truths(rows, nulls)
            null = _null_of_and(true, null, also, unknown)
            true = true & also
        return Truths(true, null)

    def outcomes(self, statistic: Statistic) -> int:
        each = [item.outcomes(statistic) for item in self.items]
        true = TRUE if all(one & TRUE for one in each) else 0
        null = NULL if any(one & NULL for one in each) and all(one & (TRUE | NULL) for one in each) else 0
        return true | null | (FALSE if any(one & FALSE for one in each) else 0)

    def bounds(self) -> Mapping[str, Interval]:
        found: dict[str, Interval] = {}
        for each in self.items:
            for name, interval in each.bounds().items():
                found[name] = found[name].meet(interval) if name in found else interval
        return found

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        for each in self.items:
            yield from each.unsure(negated)


class AnyOf:
    """`or`: true if any is true, else null if any is null."""

    def __init__(self, items: Sequence[Condition]) -> None:
        self.items = tuple(items)

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        true, null = self.items[0].truths(rows, nulls)
        for each in self.items[1:]:
            also, unknown = each.truths(rows, nulls)
            true = true | also
            null = unknown if null is None else null if unknown is None else null | unknown
            if null is not None:
                null = null & ~true
        return Truths(true, null)

    def outcomes(self, statistic: Statistic) -> int:
        each = [item.outcomes(statistic) for item in self.items]
        false = FALSE if all(one & FALSE for one in each) else 0
        null = NULL if any(one & NULL for one in each) and all(one & (FALSE | NULL) for one in each) else 0
        return false | null | (TRUE if any(one & TRUE for one in each) else 0)

    def bounds(self) -> Mapping[str, Interval]:
        first, *others = [each.bounds() for each in self.items]
        shared = set(first).intersection(*others)
        found: dict[str, Interval] = {}
        for name in shared:
            interval = first[name]
            for other in others:
                interval = interval.hull(other[name])
            found[name] = interval
        return found

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        for each in self.items:
            yield from each.unsure(negated)


def _null_of_and(true: Bools, null: Bools | None, also: Bools, unknown: Bools | None) -> Bools | None:
    """Where one is null and the other is not false."""
    if null is None and unknown is None:
        return None
    if null is None:
        return true & unknown  # type: ignore[operator]
    if unknown is None:
        return null & also
    return (null & (also | unknown)) | (unknown & true)


def unsure_of(operand: Operand, negated: bool, missing: bool = False) -> Iterator[Unsure]:
    """What axis numbers do not say of an operand that is compared, or asked whether it is `missing`.

    A float without a number is NaN or null, which compare as false and null: only `not`, and comparisons of a condition
    itself, tell these apart.
    """
    negated = negated or operand.kind == "bool"
    for name, kind in operand.sources:
        if kind == "decimal":
            if not missing:
                yield Unsure(name, True)
        elif kind == "far" or (kind == "float" and (negated or missing)):
            yield Unsure(name, False)


class IsMissing(Leaf):
    """`is null`: never null itself."""

    def __init__(self, of: Operand) -> None:
        self.of = of

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        valid = self.of.valid(rows)
        return Truths(np.zeros(1, np.bool_) if valid is None else ~valid)

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return unsure_of(self.of, negated, missing=True)

    def outcomes(self, statistic: Statistic) -> int:
        name = getattr(self.of, "name", None)
        known = None if name is None else statistic(name)
        if known is None:
            return TRUE | FALSE
        return (TRUE if known.nulls else 0) | (FALSE if known.values else 0)
