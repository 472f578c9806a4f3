"""Axes: what numbers in axis space mean to a reader. Ticks and labels as in static/axes/axis.js."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bigviz.common.web.safe_numbers import MAX_SAFE
from bigviz.export.axes.d3_format import MINUS, Style, formatted
from bigviz.export.axes.label_words import label_words
from bigviz.export.axes.nice_numbers import nice_numbers, number_style, rounded
from bigviz.export.axes.span import Span
from bigviz.export.axes.time_ticks import TimeTick, duration_ticks, stamp_ticks
from bigviz.export.axes.zones import is_known_zone

__all__ = ["Axis", "Tick", "format_number", "is_exact", "nice_step"]

_WHOLE: Final = ("integer", "bool", "category", "date", "time", "timestamp", "duration")
_LONGEST_LABEL: Final = 28
_MOST_MINOR: Final = 10  # decades between labels, beyond which those between have no ticks of their own
_SUPERSCRIPTS: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DEGREE_STEPS: Final = (90, 60, 45, 30, 20, 15, 10, 5, 2, 1)
_TIMES: Final = "\u00d7"


@dataclass(frozen=True)
class Tick:
    """fraction: 0..1 along the span; context: second line (what a time's label lacks); minor: no label."""

    fraction: float
    label: str
    context: str | None = None
    minor: bool = False


def is_exact(kind: str, axis: str) -> bool:
    """Whether the axis numbers of a column of a kind are whole on a kind of axis."""
    return axis in ("linear", "datetime") and kind in _WHOLE


@dataclass(frozen=True)
class Axis:
    """What an axis shows: the document's axis, and the facts of the column drawn on it (`column` its name, `holds` its
    kind; "" and None without one). `side` is "x" or "y"."""

    kind: str
    side: str
    column: str = ""
    holds: str | None = None
    label: str | None = None
    unit: str | None = None
    zone: str | None = None
    labels: Sequence[str] | None = None

    @property
    def _holds(self) -> str:
        return self.holds or ("timestamp" if self.kind == "datetime" else "float")

    @property
    def exact(self) -> bool:
        """Axis numbers are int64."""
        return is_exact(self._holds, self.kind)

    @cached_property
    def categories(self) -> Sequence[str] | None:
        """The labels of whole numbers, where they stand for labels."""
        if self.kind != "linear":
            return None
        return self.labels if self.labels is not None else ("false", "true") if self._holds == "bool" else None

    @cached_property
    def flavour(self) -> str:
        """What its numbers are: log, degrees, clock, duration, stamp, category, whole or number."""
        if self.kind in ("log", "mercator"):
            return "log" if self.kind == "log" else "degrees"
        if self._holds in ("time", "duration"):
            return "clock" if self._holds == "time" else "duration"
        if self._holds in ("timestamp", "date") or self.kind == "datetime":
            return "stamp"
        if self.categories is not None:
            return "category"
        return "whole" if self._holds in _WHOLE else "number"

    @property
    def title(self) -> str:
        """Label or column name, with unit or zone."""
        name = self.column if self.label is None else self.label
        note = self.unit
        if note is None and self.flavour == "stamp" and self.zone is not None:
            note = self.zone if is_known_zone(self.zone) else f"{self.zone} is unknown here: UTC"
        return f"{name} ({note})" if note else name

    def ticks(self, s: Span, pixels: float, spacing: float) -> list[Tick]:
        """Ticks within a span, low to high; `pixels` is the axis's CSS length, `spacing` what is wanted between
        labels."""
        target = max(1.0, pixels / spacing)
        if self.flavour == "stamp":
            return _placed(s, stamp_ticks(s, target, self.zone))
        if self.flavour in ("duration", "clock"):
            return _placed(s, duration_ticks(s, target, self.flavour == "clock"))
        if self.flavour == "log":
            return _log_ticks(s, target)
        if self.flavour == "degrees":
            return _longitude_ticks(s, target) if self.side == "x" else _latitude_ticks(s, target)
        if self.flavour == "number":
            low, high = s.origin + s.lo, s.origin + s.hi
            return [_tick(s, value, label) for value, label in nice_numbers(low, high, target)]
        return _whole_ticks(s, target, self.categories)


def format_number(value: float, digits: int = 6) -> str:
    """A number for the colour bar: whole ones of at most `digits` digits written out with thousands separators, all of
    them from 7 digits on; longer ones with an SI prefix; others rounded to `digits` significant digits."""
    if isinstance(value, int) and abs(value) > MAX_SAFE:
        return f"{value:,}".replace("-", MINUS)
    number = float(value)
    if not math.isfinite(number):
        return "\u2013" if math.isnan(number) else "∞" if number > 0 else f"{MINUS}∞"
    size = abs(number)
    if number == math.floor(number) and size <= MAX_SAFE:
        if digits >= 7 or size < 10**digits:
            return formatted(number, Style("d", comma=True))
        return formatted(number, Style("s" if size < 1e15 else "e", digits, trim=True))
    if size >= 1e15 or size < 1e-5:
        return formatted(number, Style("e", max(0, digits - 1), trim=True))
    return formatted(number, Style("r", digits, comma=True, trim=True))


def nice_step(ideal: float) -> float:
    """1, 2 or 5 times a power of ten, at least 1, nearest to a length."""
    if not ideal > 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(ideal))
    rest = ideal / power
    return power * (1 if rest < math.sqrt(2) else 2 if rest < math.sqrt(10) else 5 if rest < math.sqrt(50) else 10)


def _placed(s: Span, times: Sequence[TimeTick]) -> list[Tick]:
    return [Tick(s.fraction(time.at, 0), time.label, time.context) for time in times]


def _tick(s: Span, value: float, label: str, minor: bool = False) -> Tick:
    return Tick(s.fraction(0, value), label, None, minor)


def _whole_ticks(s: Span, target: float, categories: Sequence[str] | None) -> list[Tick]:
    """Ticks on whole numbers of any size; on codes of categories with their labels."""
    first, last = s.origin + math.ceil(s.lo), s.origin + math.floor(s.hi)
    stride = int(nice_step(s.length / target))
    words = _whole_words(float(first), float(last), target, stride)
    out = []
    for at in range(-(-first // stride) * stride, last + 1, stride):
        if categories is None:
            label: str | None = words(at)
        else:
            label = label_words(categories[at]) if 0 <= at < len(categories) else None
        if label is not None:
            out.append(Tick(s.fraction(at, 0), _shortened(label)))
    return out


def _whole_words(low: float, high: float, target: float, stride: int) -> Callable[[int], str]:
    """Written out, or in an SI format that tells multiples of the stride apart."""
    if number_style(low, high, target) != "s":
        return lambda at: format_number(at, 20)
    digits = math.ceil(math.log10(max(abs(low), abs(high)) / stride)) + 1
    style = Style("s", max(1, min(17, digits)), trim=True)
    return lambda at: formatted(float(at), style)


def _shortened(label: str) -> str:
    return f"{label[: _LONGEST_LABEL - 1]}…" if len(label) > _LONGEST_LABEL else label


def _log_ticks(s: Span, target: float) -> list[Tick]:
    """Powers of ten, with 2 and 5 where there is room; below a third of a decade round numbers as on a linear axis."""
    decades = s.length
    if decades < 0.35 or (decades < 1 and math.ceil(s.lo) > s.hi):
        return _linear_ticks_of_log(s, target)
    every = max(1, math.ceil(decades / target))
    first, last = math.floor(s.lo), math.ceil(s.hi)
    labelled = (1, 2, 5) if decades / target < 0.36 else (1,)
    words = _decade_words(s.lo, s.hi)
    step = every if every > _MOST_MINOR else 1  # a view may span more decades than there are numbers
    out = []
    for power in range(first // step * step, last + 1, step):
        for digit in range(1, 2 if every > 1 else 10):
            place = power + math.log10(digit)
            if s.lo <= place <= s.hi:
                minor = digit not in labelled or (power % every != 0 and digit == 1)
                out.append(_tick(s, place, "" if minor else words(digit, power), minor))
    return out


def _linear_ticks_of_log(s: Span, target: float) -> list[Tick]:
    try:
        low, high = 10.0**s.lo, 10.0**s.hi
    except OverflowError:
        return []
    if not high > low:
        return []
    return [_tick(s, math.log10(value), label) for value, label in nice_numbers(low, high, target) if value > 0]


def _decade_words(low: float, high: float) -> Callable[[int, int], str]:
    """Plain numbers while all are short, else powers."""
    if low > -4.5 and high < 6.5:
        return lambda digit, power: format_number(float(f"{digit}e{power}"), 15)
    return lambda digit, power: f"{'' if digit == 1 else f'{digit}{_TIMES}'}10{_superscript(power)}"


def _superscript(power: int) -> str:
    return ("⁻" if power < 0 else "") + "".join(_SUPERSCRIPTS[int(digit)] for digit in str(abs(power)))


def _longitude(x: float) -> float:
    return x * 360 - 180


def _latitude(y: float) -> float:
    return math.atan(math.sinh(math.pi * (2 * y - 1))) * 180 / math.pi


def _mercator_y(degrees: float) -> float:
    return (math.asinh(math.tan(degrees * math.pi / 180)) / math.pi + 1) / 2


def _degree_step(ideal: float) -> float:
    if ideal <= 0.75:
        return nice_step(ideal * 1e9) / 1e9
    return min(_DEGREE_STEPS, key=lambda step: abs(math.log(step / ideal)))


def _longitude_ticks(s: Span, target: float) -> list[Tick]:
    step = _degree_step(s.length * 360 / target)
    out, k = [], math.ceil(_longitude(s.lo) / step)
    while k * step <= _longitude(s.hi):
        if abs(k * step) <= 180:
            out.append(_tick(s, (k * step + 180) / 360, _degrees(k * step, step, "E", "W")))
        k += 1
    return out


def _latitude_ticks(s: Span, target: float) -> list[Tick]:
    low, high = _latitude(max(0.0, s.lo)), _latitude(min(1.0, s.hi))
    step = _degree_step((high - low) / target)
    out, k = [], math.ceil(low / step)
    while k * step <= high:
        out.append(_tick(s, _mercator_y(k * step), _degrees(k * step, step, "N", "S")))
        k += 1
    return out


def _degrees(value: float, step: float, positive: str, negative: str) -> str:
    """As "12.5° W"."""
    digits = max(0, min(10, math.ceil(-math.log10(step) - 1e-9)))
    text = formatted(abs(value), Style("f", digits))
    return "0°" if float(text) == 0 else f"{text}° {negative if value < 0 else positive}"


def as_whole(value: float) -> int:
    """The whole number nearest to a value, halves up."""
    return value if isinstance(value, int) else rounded(value)
