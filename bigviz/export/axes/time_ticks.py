"""Times on an axis: ticks on round local times from centuries down to nanoseconds, and their words.

As in static/axes/time-ticks.js. Times are integer nanoseconds since the epoch (or, for durations and times of day,
since zero).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bigviz.export.axes.span import Span
from bigviz.export.axes.zones import date_of, instants_of, pass_of, zone_offset

__all__ = ["TimeTick", "duration_ticks", "format_duration", "format_stamp", "stamp_ticks"]

SECOND: Final = 10**9
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_YEAR: Final = 365.2425 * DAY
_DAY_MS: Final = 86_400_000
_MS: Final = 1_000_000
_MINUS: Final = "\u2212"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class TimeTick:
    """A time, its label, and what the label lacks of the date, where that changes."""

    at: int
    label: str
    context: str | None


@dataclass(frozen=True)
class _Step:
    """A distance between ticks: `count` units (nanoseconds below a second), about `ns` long."""

    unit: str
    count: int
    ns: float


def _steps(unit: str, length: float, counts: Sequence[int]) -> list[_Step]:
    return [_Step(unit, count, count * length) for count in counts]


def _one_two_five(unit: str, length: float, powers: int) -> list[_Step]:
    return [step for power in range(powers) for step in _steps(unit, length, [k * 10**power for k in (1, 2, 5)])]


_CLOCK: Final = [
    *_one_two_five("ns", 1, 9),
    *_steps("second", SECOND, [1, 2, 5, 10, 15, 30]),
    *_steps("minute", MINUTE, [1, 2, 5, 10, 15, 30]),
    *_steps("hour", HOUR, [1, 3, 6, 12]),
]
_CALENDAR: Final = [
    *_CLOCK,
    *_steps("day", DAY, [1, 2, 7]),
    *_steps("month", _YEAR / 12, [1, 3, 6]),
    *_one_two_five("year", _YEAR, 3),
]
_SPANS: Final = [*_CLOCK, *_one_two_five("day", DAY, 6)]


def stamp_ticks(s: Span, target: float, zone: str | None) -> list[TimeTick]:
    """Ticks of instants in a zone: about `target` of them on round local times; the context stands at the first tick
    and where it changes."""
    first, last = _ends(s)
    step = _nearest(_CALENDAR, (s.hi - s.lo) / max(1, target))
    passes = 2 if step.ns <= HOUR else 1  # both passes of the hour that autumn repeats
    if step.unit == "ns":
        found = list(range(_ceil_to(first, step.count), last + 1, step.count))
    else:
        a, b = first // _MS, last // _MS + 1
        shifts = zone_offset(a, zone), zone_offset(b, zone)
        local = _local_ticks(a + min(shifts), b + max(shifts), step)
        instants = {at for each in local for at in instants_of(each, zone)[:passes]}
        found = [at * _MS for at in sorted(instants) if first <= at * _MS <= last]
    told, out = "", []
    for at in found:
        again = pass_of(at // _MS, zone) if step.ns <= HOUR else ""
        label, context = _words(at, zone, step, again)
        out.append(TimeTick(at, label, context if context != told else None))
        told = context or ""
    return out


def duration_ticks(s: Span, target: float, clock: bool) -> list[TimeTick]:
    """Ticks of durations; with `clock` of times of day, which always have a colon."""
    first, last = _ends(s)
    as_clock = clock or last >= SECOND or first <= -SECOND
    step = _nearest(_SPANS, (s.hi - s.lo) / max(1, target))
    stride = int(step.ns)
    times = range(_ceil_to(first, stride), last + 1, stride)
    return [TimeTick(at, format_duration(at, step.ns, as_clock), None) for at in times]


def format_stamp(at: int, zone: str | None, step: float) -> str:
    """An instant as "2024-03-03 06:00:00.125", with the parts that steps of `step` ns need."""
    date = _local(at, zone)
    if step >= DAY:
        return _iso(date)
    clock = _clock(date, step < MINUTE)
    digits = _decimals(step)
    rest = f".{at % SECOND:09}"[: digits + 1] if digits else ""
    return _told(f"{_iso(date)} {clock}{rest}", pass_of(at // _MS, zone))


def format_duration(length: int, step: float, clock: bool) -> str:
    """A length of time as "2 d 03:04:05.125", with the parts that steps of `step` ns need; below a second in ms, µs or
    ns unless `clock`."""
    sign, size = (_MINUS if length < 0 else ""), abs(length)
    if not clock and size < SECOND and step < SECOND:
        return "0" if size == 0 else sign + _small(size)
    days, rest = divmod(size, DAY)
    if step >= DAY:
        return f"{sign}{days} d"
    seconds = "" if step >= MINUTE else f":{rest % MINUTE // SECOND:02}"
    digits = _decimals(step)
    fraction = f".{rest % SECOND:09}"[: digits + 1] if digits else ""
    return f"{sign}{f'{days} d ' if days else ''}{rest // HOUR:02}:{rest % HOUR // MINUTE:02}{seconds}{fraction}"


def _nearest(ladder: Sequence[_Step], ns: float) -> _Step:
    """The step nearest, as a ratio, to a length; of equally near ones the first."""
    return min(ladder, key=lambda step: abs(math.log(step.ns / ns)))


def _ceil_to(value: int, step: int) -> int:
    return -(-value // step) * step


def _ends(s: Span) -> tuple[int, int]:
    """First and last nanosecond within a span."""
    return s.origin + math.ceil(s.lo), s.origin + math.floor(s.hi)


def _decimals(ns: float) -> int:
    """Digits of a fraction of a second with which multiples of a step differ."""
    return 0 if ns >= SECOND else min(9, math.ceil(-math.log10(max(1, ns) / SECOND) - 1e-9))


def _local(at: int, zone: str | None) -> datetime:
    ms = at // _MS
    return date_of(ms + zone_offset(ms, zone))


def _words(at: int, zone: str | None, step: _Step, again: str) -> tuple[str, str | None]:
    """Label and context of an instant under a step; `again` tells it from another of the same local time."""
    date = _local(at, zone)
    day = f"{_MONTHS[date.month - 1]} {date.day}"
    whole = f"{day}, {_year(date)}"
    if step.unit == "year":
        return _year(date), None
    if step.unit == "month":
        return _MONTHS[date.month - 1], _year(date)
    if step.unit == "day":
        return day, _year(date)
    if step.unit != "ns":
        return _told(_clock(date, step.unit == "second"), again), whole
    rest = f"{at % SECOND:09}"[: _decimals(step.ns)]
    return f"{date.second:02}.{rest}", _told(f"{whole} {_clock(date, False)}", again)


def _told(time: str, again: str) -> str:
    return f"{time} {again}" if again else time


def _year(date: datetime) -> str:
    return f"{date.year:04}"


def _iso(date: datetime) -> str:
    return f"{date.year:04}-{date.month:02}-{date.day:02}"


def _clock(date: datetime, seconds: bool) -> str:
    return f"{date.hour:02}:{date.minute:02}{f':{date.second:02}' if seconds else ''}"


def _local_ticks(lo: int, hi: int, step: _Step) -> list[int]:
    """Local milliseconds of the ticks from `lo` to `hi`, for steps of a second or more."""
    if step.unit in ("month", "year"):
        stride = 12 * step.count if step.unit == "year" else step.count
        first = date_of(lo)
        month, out = (first.year * 12 + first.month - 1) // stride * stride, []
        while (at := _month_start(month)) <= hi:
            if at >= lo:
                out.append(at)
            month += stride
        return out
    if step.unit == "day" and step.count > 1:
        # Every second or seventh day of the month, the 1st with them, so that ticks stay when the view moves.
        days = ((at, date_of(at).day) for at in range(_ceil_to(lo, _DAY_MS), hi + 1, _DAY_MS))
        return [at for at, day in days if (day - 1) % step.count == 0 and day + step.count / 2 <= 31]
    stride = int(step.ns) // _MS
    return list(range(_ceil_to(lo, stride), hi + 1, stride))


def _month_start(month: int) -> int:
    """Milliseconds of the start of a month, counted from year 0."""
    start = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return round(start.timestamp()) * 1000


def _small(ns: int) -> str:
    if ns >= 1_000_000:
        return f"{ns / 1e6:.15g} ms"
    return f"{ns / 1e3:.15g} µs" if ns >= 1000 else f"{ns} ns"
