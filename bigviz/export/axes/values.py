"""Values of a reduction in words, for the colour bar: numbers, and times as on an axis. As in static/axes/values.js."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bigviz.aggregate.value_kind import ValueKind
from bigviz.common.web.safe_numbers import MAX_SAFE
from bigviz.export.axes.axis import as_whole, format_number, nice_step
from bigviz.export.axes.nice_numbers import rounded, rounds_between
from bigviz.export.axes.span import span
from bigviz.export.axes.time_ticks import duration_ticks, format_duration, format_stamp, stamp_ticks

__all__ = ["ValueWords"]

_UNITS: Final = {"D": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}
_FEWEST: Final = 4  # digits of the colour bar's labels: as few as tell them apart
_MOST: Final = 17
_CERTAIN: Final = 15  # digits of a whole number that a double rounds


class ValueWords:
    """How values of a kind are told. Values are floats, or ints where doubles would round."""

    def __init__(self, value: ValueKind) -> None:
        self._kind, self._zone = value.kind, value.zone
        self.whole = value.kind in ("integer", "bool")
        self.unit = _UNITS.get(value.unit, 1) if value.unit else 0  # nanoseconds that times are multiples of; 0: none
        self._clock = value.kind in ("duration", "time")
        self.is_stamp = self.unit > 0 and not self._clock

    def apart(self, values: Sequence[float]) -> list[str]:
        """Values in ascending order, with as many digits (or parts of a time) as tell those that differ apart."""
        if self.unit:
            gaps = [float(b - a) for a, b in pairwise(values) if b > a]
            step = max(self.unit, min(gaps) / 2) if gaps else self.unit
            return [self._time(value, step) for value in values]
        different = len({as_whole(value) if self.whole else value for value in values})
        words = [self._number(value, _FEWEST) for value in values]
        digits = _FEWEST + 1
        while digits <= _MOST and len(set(words)) < different:
            words = [self._number(value, digits) for value in values]
            digits += 1
        return words

    def rounds(self, low: float, high: float, count: int, origin: int = 0) -> list[float]:
        """About so many round values from low to high, of times those that an axis would name; low, high and the values
        count from the origin."""
        if not self.unit:
            return rounds_between(low, high, count) if origin == 0 else _multiples(low, high, count, origin)
        s = span(0.0, high - low, origin + rounded(low), True)
        ticks = duration_ticks(s, count, self._kind == "time") if self._clock else stamp_ticks(s, count, self._zone)
        return [float(tick.at - origin) for tick in ticks]

    def rounder(self, value: float) -> float:
        """A value a little rounder than a given one: nobody asks a colour bar for more than three digits."""
        if self.whole and abs(value) < 1e4:
            return float(rounded(value))
        if self.unit or (abs(value) >= 1 and value == math.floor(value)):
            return value
        return float(f"{value:.3g}")

    def _time(self, value: float, step: float) -> str:
        ns = as_whole(value)
        least = step if isinstance(value, int) else max(step, _certain_step(value))
        return format_duration(ns, least, self._kind == "time") if self._clock else format_stamp(ns, self._zone, least)

    def _number(self, value: float, digits: int) -> str:
        number = float(as_whole(value)) if self.whole and not isinstance(value, int) else value
        if isinstance(number, int) and digits <= _CERTAIN:
            return format_number(float(number), digits)
        certain = isinstance(number, int) or not self.whole or abs(number) <= MAX_SAFE
        return format_number(number, digits if certain else min(_CERTAIN + 1, digits))


def _certain_step(value: float) -> float:
    """The power of ten that the double of a whole number is exact to, 1 at least."""
    size = abs(value)
    return 1.0 if size <= MAX_SAFE else 10.0 ** math.ceil(math.log10(size * 2.0**-53))


def _multiples(low: float, high: float, count: int, origin: int) -> list[float]:
    """Multiples of a round whole number."""
    stride = int(nice_step((high - low) / count))
    first, last = origin + math.ceil(low), origin + math.floor(high)
    return [float(at - origin) for at in range(-(-first // stride) * stride, last + 1, stride)]
