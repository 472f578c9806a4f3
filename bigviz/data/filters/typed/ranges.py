"""A number or time compared with constants: it lies in a range, or is one of a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, floor, inf, isnan
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.data.columns.arrow_arrays import bits
from bigviz.data.filters.cells import Bools, Rows, Truths, Vector
from bigviz.data.filters.typed.conditions import Interval, Statistic, Unsure, judged, unsure_of
from bigviz.data.filters.typed.numbers import NumberColumn, NumberValue, nearest
from bigviz.data.filters.typed.outcomes import FALSE, NULL, TRUE, UNKNOWN

__all__ = ["FloatRange", "OneOf", "WholeRange", "float_range", "whole_range"]

_FEW: Final = 8
_WIDE: Final = Context(prec=200)


def whole_range(op: str, value: Fraction) -> tuple[int | None, int | None]:
    """The integers that compare so with a number, as (lowest, highest); the lowest is above the highest if none
    does."""
    if op == "=":
        return (int(value), int(value)) if value.denominator == 1 else (1, 0)
    if op in ("<", "<="):
        return None, floor(value) if op == "<=" else ceil(value) - 1
    return ceil(value) if op == ">=" else floor(value) + 1, None


class _Range:
    """What ranges of integers and of floats share."""

    def __init__(self, of: NumberValue) -> None:
        self.of = of

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return unsure_of(self.of, negated)

    def outcomes(self, statistic: Statistic) -> int:
        if not isinstance(self.of, NumberColumn):
            return UNKNOWN
        known = statistic(self.of.name)
        if known is None:
            return UNKNOWN
        found = NULL if known.nulls else 0
        if not known.values:
            return found
        if isinstance(known.low, str) or isinstance(known.high, str):
            return UNKNOWN
        found |= TRUE if self._may_hold(known.low, known.high) else 0
        return found | (FALSE if self.of.kind == "float" or not self._holds_all(known.low, known.high) else 0)

    def _may_hold(self, low: Any, high: Any) -> bool:
        raise NotImplementedError

    def _holds_all(self, low: Any, high: Any) -> bool:
        raise NotImplementedError


class WholeRange(_Range):
    """Integers, times in nanoseconds, or decimals times ten to their scale, between `low` and `high`, both included."""

    def __init__(self, of: NumberValue, low: int | None, high: int | None) -> None:
        super().__init__(of)
        self.low, self.high = low, high

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        vector = self.of.vector(rows)
        if vector.exact is not None:
            true = _decimals_within(vector.exact, self.low, self.high)
        elif self.of.kind == "decimal":
            true = _floats_within(vector.values, self._as_float(self.low), self._as_float(self.high))
        else:
            low, high = _in_steps(self.low, self.high, vector.step)
            true = _whole_within(vector.values, low, high)
        return judged(true, vector.valid, nulls)

    def bounds(self) -> Mapping[str, Interval]:
        if not isinstance(self.of, NumberColumn) or not self.of.has_axis:
            return {}
        if self.of.kind == "decimal":
            return {self.of.name: Interval(self._as_float(self.low), self._as_float(self.high))}
        return {self.of.name: Interval(self.low, self.high)}

    def _as_float(self, unscaled: int | None) -> float | None:
        return None if unscaled is None else nearest(Fraction(unscaled) / Fraction(10) ** self.of.scale)

    def _may_hold(self, low: Any, high: Any) -> bool:
        low, high = -inf if low is None else low, inf if high is None else high
        return (self.low is None or self.low <= high) and (self.high is None or self.high >= low) and not self._empty

    def _holds_all(self, low: Any, high: Any) -> bool:
        below = self.low is None or (low is not None and self.low <= low)
        return below and (self.high is None or (high is not None and high <= self.high))

    @property
    def _empty(self) -> bool:
        return self.low is not None and self.high is not None and self.low > self.high


class FloatRange(_Range):
    """Floats between `low` and `high`, which belong to it unless they are open; NaN lies in none."""

    def __init__(self, of: NumberValue, low: float, high: float, open_low: bool, open_high: bool) -> None:
        super().__init__(of)
        self.low, self.high, self.open_low, self.open_high = low, high, open_low, open_high

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        vector = self.of.vector(rows)
        values, low, high = vector.values, self.low, self.high
        open_low, open_high = self.open_low, self.open_high
        if values.dtype == np.float32:
            low, open_low = _single(low, open_low, inf)
            high, open_high = _single(high, open_high, -inf)
        return judged(_floats_within(values, low, high, open_low, open_high), vector.valid, nulls)

    def bounds(self) -> Mapping[str, Interval]:
        if not isinstance(self.of, NumberColumn) or not self.of.has_axis:
            return {}
        return {self.of.name: Interval(None if self.low == -inf else self.low, None if self.high == inf else self.high)}

    def _may_hold(self, low: Any, high: Any) -> bool:
        low, high = -inf if low is None else low, inf if high is None else high
        above = self.low < high or (self.low == high and not self.open_low)
        return above and (self.high > low or (self.high == low and not self.open_high)) and self.low <= self.high

    def _holds_all(self, low: Any, high: Any) -> bool:
        return False  # there may be NaN


def float_range(of: NumberValue, op: str, value: Fraction) -> FloatRange:
    """The floats that compare so with the float nearest to a number."""
    at = nearest(value)
    low = at if op in ("=", ">", ">=") else -inf
    high = at if op in ("=", "<", "<=") else inf
    return FloatRange(of, low, high, op == ">", op == "<")


class OneOf(_Range):
    """One of some numbers: integers as in `WholeRange`, or floats."""

    def __init__(self, of: NumberValue, values: Sequence[int] | Sequence[float]) -> None:
        super().__init__(of)
        self.values = sorted(set(values))

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        vector = self.of.vector(rows)
        values, wanted = vector.values, self._wanted(vector)
        if len(wanted) <= _FEW:
            true = np.zeros(len(values), np.bool_)
            for each in wanted:
                true |= values == each
        else:
            true = np.isin(values, wanted)
        return judged(true, vector.valid, nulls)

    def bounds(self) -> Mapping[str, Interval]:
        if not isinstance(self.of, NumberColumn) or not self.of.has_axis or not self.values:
            return {}
        return {self.of.name: Interval(self.values[0], self.values[-1])}

    def _wanted(self, vector: Vector) -> np.ndarray[Any, Any]:
        """The numbers in the type of a vector, without those that it cannot hold."""
        dtype: np.dtype[Any] = vector.values.dtype
        if dtype.kind == "f":
            wanted = np.array(self.values, np.float64)
            with np.errstate(over="ignore"):
                fitting: np.ndarray[Any, Any] = wanted[wanted.astype(dtype) == wanted].astype(dtype)
            return fitting
        info = np.iinfo(dtype)
        whole = [int(each) // vector.step for each in self.values if int(each) % vector.step == 0]
        return np.array([each for each in whole if info.min <= each <= info.max], dtype)

    def _may_hold(self, low: Any, high: Any) -> bool:
        low, high = -inf if low is None else low, inf if high is None else high
        return any(low <= each <= high for each in self.values)

    def _holds_all(self, low: Any, high: Any) -> bool:
        return low is not None and low == high and low in self.values


def _single(end: float, is_open: bool, towards: float) -> tuple[float, bool]:
    """An end of a range among float32: the nearest one on its inner side."""
    with np.errstate(over="ignore"):
        near = np.float32(end)
    if float(near) == end or isnan(end):
        return float(near), is_open
    inside = float(near) > end if towards > 0 else float(near) < end
    return float(near if inside else np.nextafter(near, np.float32(towards))), False


def _floats_within(
    values: Any, low: float | None, high: float | None, open_low: bool = False, open_high: bool = False
) -> Bools:
    found: Bools | None = None
    dtype = values.dtype.type
    if low is not None and (low != -inf or open_low):
        found = values > dtype(low) if open_low else values >= dtype(low)
    if high is not None and (high != inf or open_high):
        below = values < dtype(high) if open_high else values <= dtype(high)
        found = below if found is None else np.logical_and(found, below, out=found)
    return ~np.isnan(values) if found is None else found


def _in_steps(low: int | None, high: int | None, step: int) -> tuple[int | None, int | None]:
    """Bounds of numbers of steps instead."""
    if step == 1:
        return low, high
    return None if low is None else -(-low // step), None if high is None else high // step


def _whole_within(values: Any, low: int | None, high: int | None) -> Bools:
    info = np.iinfo(values.dtype)
    low = info.min if low is None else max(low, info.min)
    high = info.max if high is None else min(high, info.max)
    if low > high:
        return np.zeros(len(values), np.bool_)
    dtype = values.dtype.type
    if low == high:
        return np.asarray(values == dtype(low))
    found: Bools | None = None if low == info.min else values >= dtype(low)
    if high != info.max:
        below = values <= dtype(high)
        found = below if found is None else np.logical_and(found, below, out=found)
    return np.ones(len(values), np.bool_) if found is None else found


def _decimals_within(array: pa.Array, low: int | None, high: int | None) -> Bools:
    """Decimals whose unscaled integers lie in a range; anything where they are null."""
    type_ = array.type
    most = 10**type_.precision - 1
    low = -most if low is None else max(low, -most)
    high = most if high is None else min(high, most)
    if low > high or not len(array):
        return np.zeros(len(array), np.bool_)
    ends = [pa.scalar(Decimal(each).scaleb(-type_.scale, _WIDE), type_) for each in (low, high)]
    found = pc.and_(pc.greater_equal(array, ends[0]), pc.less_equal(array, ends[1]))
    return bits(found.buffers()[1], found.offset, len(found)).view(np.bool_)
