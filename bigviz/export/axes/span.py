"""Ranges of one axis. An exact axis (integers, times) keeps an integer origin near the range and doubles relative to
it; a float axis keeps origin 0. As in static/geometry/span.js and home.js, to the bit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bigviz.export.axes.nice_numbers import rounded

__all__ = [
    "SHORTEST", "DataRange", "End", "Span", "as_kind", "home_span", "newest_span", "padded", "span", "span_of",
    "whole_bins",
]  # fmt: skip

End = int | float | str
DataRange = tuple[End, End, bool]
"""Low and high of a layer; True: they are the middles of the first and the last cell, which are one unit wide."""

HOME_PADDING: Final = 0.02
SHORTEST: Final = 2.0**-1021  # shorter lengths are denormal, within which doubles cannot be told apart
_LOWEST: Final = -(1 << 63)
_HIGHEST: Final = 1 << 64
_FLOAT_MAX: Final = 2.0**1023 * (1 - 2.0**-53)
_FLOAT_STEPS: Final = 2.0**-44
_DECIMAL: Final = re.compile(r"\s*\+?(-?)(\d{1,20})(\.\d*)?\s*")


@dataclass(frozen=True)
class Span:
    """origin + lo .. origin + hi in axis space, lo < hi; `exact`: axis numbers are whole, else the origin is 0."""

    origin: int
    lo: float
    hi: float
    exact: bool

    @property
    def length(self) -> float:
        return self.hi - self.lo

    def fraction(self, origin: int, offset: float) -> float:
        """Where origin + offset lies in the span: 0 at its low end, 1 at its high end."""
        return (float(origin - self.origin) + offset - self.lo) / (self.hi - self.lo)


def span(lo: float, hi: float, origin: int = 0, exact: bool = False) -> Span:
    """The range with its origin moved next to it when the axis is exact."""
    middle = lo + (hi - lo) / 2
    if not exact or abs(middle) <= hi - lo:
        return Span(origin, lo, hi, exact)
    shift = rounded(middle)
    return Span(origin + shift, lo - shift, hi - shift, exact)


def span_of(start: End, end: End, exact: bool) -> Span | None:
    """Two ends as they are written in JSON and in a page's address; None where one is no finite number or start is not
    below end."""
    first, last = _place(start, exact), _place(end, exact)
    if first is None or last is None:
        return None
    hi = float(last[0] - first[0]) + last[1]
    if not first[1] < hi or abs(first[1]) > _FLOAT_MAX or abs(hi) > _FLOAT_MAX:
        return None
    return span(first[1], hi, first[0], exact)


def as_kind(s: Span, exact: bool) -> Span:
    """A span for an axis of another kind of number: linked figures may join floats with whole numbers."""
    if s.exact == exact:
        return s
    return span(s.lo, s.hi, 0, True) if exact else _to_float(s)


def padded(s: Span, share: float) -> Span:
    """The span with a share of its length added at each end, within the axis numbers that exist."""
    more = s.length * share
    return _kept_inside(s.lo - more, s.hi + more, s)


def home_span(ranges: Sequence[DataRange | None], exact: bool) -> Span:
    """The range that shows all data of an axis: the layers' ranges joined and padded 2 % a side; one value gets half a
    unit (or a billionth of itself, on float axes far from 0) around it; no value at all shows 0..1."""
    everything = _all_of(ranges, exact)
    return span(0.0, 1.0, 0, exact) if everything is None else padded(everything, HOME_PADDING)


def whole_bins(low: End, high: End, bins: int) -> tuple[End, End]:
    """What the bins of whole numbers span: where there are no more numbers than bins each has its own, `[v, v + 1)`,
    so the last one ends beyond the highest number."""
    last = int(high)
    return (low, last + 1) if last - int(low) <= bins else (low, high)


def newest_span(ranges: Sequence[DataRange | None], exact: bool, window: float) -> Span:
    """The range of a length whose upper end is 2 % of it beyond the layers' highest number; no value at all is 0."""
    everything = _all_of(ranges, exact)
    origin, hi = (0, 0.0) if everything is None else (everything.origin, everything.hi)
    hi += window * HOME_PADDING
    return _kept_inside(hi - window, hi, Span(origin, hi - window, hi, exact))


def _all_of(ranges: Sequence[DataRange | None], exact: bool) -> Span | None:
    everything: Span | None = None
    for each in ranges:
        part = None if each is None else _cells_span(each, exact) if each[2] else _data_span(each, exact)
        if part is not None:
            everything = part if everything is None else _union(everything, part)
    return everything


def _place(value: End, exact: bool) -> tuple[int, float] | None:
    """Origin and offset of one axis number."""
    if isinstance(value, int):
        return (value, 0.0) if exact else (0, float(value))
    if isinstance(value, str):
        decimal = _DECIMAL.fullmatch(value) if exact else None
        if decimal:
            sign, whole, rest = decimal.groups()
            return int(sign + whole), float(f"{sign}0{rest or ''}")
        try:
            value = float(value)
        except ValueError:
            return None
    if not math.isfinite(value):
        return None
    if not exact:
        return 0, value
    return rounded(value), value - rounded(value)


def _data_span(ends: DataRange, exact: bool) -> Span | None:
    low, high, _ = ends
    proper = span_of(low, high, exact)
    if proper and proper.length > _resolution(proper):
        return proper
    if proper and _resolution(proper) == SHORTEST:
        return padded(proper, SHORTEST / proper.length)  # all are next to 0
    least = int(low) + 1 if exact else float(low) + max(1.0, abs(float(low)) * 1e-9)
    point = span_of(low, least, exact)
    if point is None:
        return None
    half = -point.length / 2
    return _kept_inside(point.lo + half, point.hi + half, point)


def _cells_span(ends: DataRange, exact: bool) -> Span | None:
    """From the edge of the first cell to that of the last."""
    proper = span_of(ends[0], ends[1], exact)
    return span(proper.lo - 0.5, proper.hi + 0.5, proper.origin, exact) if proper else _data_span(ends, exact)


def _resolution(s: Span) -> float:
    """The shortest length in which doubles still tell pixels apart."""
    return max(abs(s.lo) * _FLOAT_STEPS, abs(s.hi) * _FLOAT_STEPS, SHORTEST)


def _kept_inside(lo: float, hi: float, s: Span) -> Span:
    """A range moved back inside the axis numbers that exist."""
    shift = 0.0
    if s.exact:
        low, high = s.origin + math.floor(lo), s.origin + math.ceil(hi)
        if low < _LOWEST and high <= _HIGHEST:
            shift = float(_LOWEST - low)
        elif high > _HIGHEST and low >= _LOWEST:
            shift = -float(high - _HIGHEST)
    elif lo < -_FLOAT_MAX:
        shift = -_FLOAT_MAX - lo
    elif hi > _FLOAT_MAX:
        shift = _FLOAT_MAX - hi
    first, last = lo + shift, hi + shift
    if not s.exact:
        first, last = max(-_FLOAT_MAX, first), min(_FLOAT_MAX, last)
    return span(first, last, s.origin, s.exact) if first < last else s


def _union(a: Span, b: Span) -> Span:
    """The shortest span over two; exact only when both are."""
    if a.exact != b.exact:
        a, b = _to_float(a), _to_float(b)
    shift = float(b.origin - a.origin)
    return span(min(a.lo, b.lo + shift), max(a.hi, b.hi + shift), a.origin, a.exact and b.exact)


def _to_float(s: Span) -> Span:
    origin = float(s.origin)
    return span(origin + s.lo, origin + s.hi)
