"""Round numbers within a range, of any size that a double has. As in static/axes/nice-numbers.js, with d3's ticks.

Source of ticks: d3-array 3.2 (ISC licence), rewritten.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from bigviz.export.axes.d3_format import Style, exponent_of, formatted, si_formatter

__all__ = ["log_ticks", "nice_numbers", "number_style", "rounded", "rounds_between", "ticks"]

_SHORT: Final = 1e-290  # ranges that are shorter, or numbers that are larger, are moved by a power of ten first
_LARGE: Final = 1e300
_UP: Final = 1e300
_DOWN: Final = 1e-20
_TEN, _FIVE, _TWO = math.sqrt(50), math.sqrt(10), math.sqrt(2)


def rounded(value: float) -> int:
    """The nearest whole number, halves up, as JavaScript's Math.round."""
    return math.floor(value + 0.5)


def ticks(start: float, stop: float, count: float) -> list[float]:
    """About `count` multiples of 1, 2 or 5 times a power of ten from `start` to `stop`, ascending; start <= stop."""
    if not count > 0:
        return []
    if start == stop:
        return [start]
    first, last, step = _tick_spec(start, stop, count)
    return [number / -step if step < 0 else number * step for number in range(first, last + 1)]


def log_ticks(low: float, high: float, count: float) -> list[float]:
    """d3's ticks of a log scale of positive ends: digits times powers of ten, or powers, or ticks of a linear one."""
    first, last = math.log10(low), math.log10(high)
    if last - first >= count:
        powers = ticks(first, last, min(last - first, count))
        return [10.0**power for power in powers if power == int(power)]
    found = []
    for power in range(math.floor(first), math.ceil(last) + 1):
        for digit in range(1, 10):
            value = digit / 10.0**-power if power < 0 else digit * 10.0**power
            if low <= value <= high:
                found.append(value)
    return ticks(low, high, count) if len(found) * 2 < count else found


def rounds_between(low: float, high: float, target: float) -> list[float]:
    """About `target` round numbers from low to high, ascending; none where high is not above low."""
    factor = _factor_for(low, high)
    if not high > low:
        return []
    return [value / factor for value in ticks(low * factor, high * factor, target)]


def nice_numbers(low: float, high: float, target: float) -> list[tuple[float, str]]:
    """The same with labels that tell them apart."""
    values = rounds_between(low, high, target)
    if _factor_for(low, high) == 1:
        words = _tick_format(low, high, target, number_style(low, high, target))
    else:
        words = _exponents(values)
    return [(value, "0" if value == 0 else words(value)) for value in values]


def number_style(low: float, high: float, target: float) -> str:
    """The type of d3's format: f (with thousands separators) near 1, s for millions, e far away."""
    most = max(abs(low), abs(high))
    if most >= 1e15 or most < 1e-4:
        return "e"
    return "s" if most >= 1e6 and (high - low) / target >= most * 1e-3 else "f"


def _tick_format(low: float, high: float, target: float, style: str) -> Callable[[float], str]:
    """Digits as the step between ticks needs them."""
    step = _tick_step(low, high, target)
    most = max(abs(low), abs(high))
    if style == "s":
        scale = max(-8, min(8, exponent_of(most) // 3)) * 3
        return si_formatter(max(0, scale - exponent_of(step)), most)
    if style == "e":
        precision = max(0, exponent_of(most - step) - exponent_of(step))
        return lambda value: formatted(value, Style("e", precision))
    precision = max(0, -exponent_of(step))
    return lambda value: formatted(value, Style("f", precision, comma=True))


def _exponents(values: list[float]) -> Callable[[float], str]:
    """With the digits that a step needs."""
    digits = 0
    if len(values) > 1:
        most = max(map(abs, values))
        digits = math.floor(math.log10(most)) - math.floor(math.log10((values[1] - values[0]) * 1.000001))
    style = Style("e", max(0, min(17, digits)), trim=True)
    return lambda value: formatted(value, style)


def _factor_for(low: float, high: float) -> float:
    if max(abs(low), abs(high)) > _LARGE:
        return _DOWN
    return _UP if high - low < _SHORT else 1.0


def _tick_step(start: float, stop: float, count: float) -> float:
    step = _tick_spec(start, stop, count)[2]
    return 1 / -step if step < 0 else step


def _tick_spec(start: float, stop: float, count: float) -> tuple[int, int, float]:
    """First and last multiple, and the step; where that is below 1, the reciprocal of it, negative."""
    step = (stop - start) / count
    power = math.floor(math.log10(step))
    error = step / 10.0**power
    factor = 10 if error >= _TEN else 5 if error >= _FIVE else 2 if error >= _TWO else 1
    if power < 0:
        unit = 10.0**-power / factor
        first, last = rounded(start * unit), rounded(stop * unit)
        first += first / unit < start
        last -= last / unit > stop
        unit = -unit
    else:
        unit = 10.0**power * factor
        first, last = rounded(start / unit), rounded(stop / unit)
        first += first * unit < start
        last -= last * unit > stop
    if last < first and 0.5 <= count < 2:
        return _tick_spec(start, stop, count * 2)
    return first, last, unit
