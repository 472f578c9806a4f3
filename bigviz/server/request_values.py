"""Numbers and windows from a request: one parser for query strings and for messages.

Ranges are in axis space. Text and JSON numbers are taken alike; nanoseconds, which JSON numbers cannot hold, come as
decimal strings. Whatever is not a finite number, a window whose ends are equal, reversed or too close to be divided,
and sizes out of bounds raise BadInput (or TooLarge) that names the field.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Collection
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, TooLarge
from bigviz.server.limits import Limits

__all__ = ["Number", "choice", "image_size", "interval", "number", "optional_number", "whole", "window_of"]

Number = int | float
Get = Callable[[str], Any]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,400}")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?")
_WIDEST_INTEGER: Final = 1 << 64
_SHOWN: Final = 60
_INT64: Final = range(-(1 << 63), 1 << 63)


def number(value: Any, field: str, *, time: bool = False) -> Number:
    """A finite number; an int where the text or JSON number is one (and always on a time axis, in nanoseconds)."""
    found = _parse(value, field)
    if time:
        if isinstance(found, float) and not found.is_integer():
            raise BadInput(f"{field} is a whole number of nanoseconds, got {_short(value)}.", field, _given(value))
        found = int(found)
        if found not in _INT64:
            raise BadInput(
                f"{field} is a time from 1677-09-21 to 2262-04-11, got {_short(value)}.", field, _given(value)
            )
    elif isinstance(found, int) and abs(found) > _WIDEST_INTEGER:
        found = _finite(float(found) if abs(found) < 1 << 1023 else math.inf, field, value)
    return found


def optional_number(value: Any, field: str) -> float | None:
    """A finite number as float, or None where nothing was given."""
    return None if value is None or value == "" else float(number(value, field))


def interval(get: Get, low: str, high: str, *, time: bool = False) -> tuple[Number, Number]:
    """The two ends of a window, the first below the second by more than a subnormal number."""
    start, stop = number(get(low), low, time=time), number(get(high), high, time=time)
    if not start < stop:
        relation = "equal to" if start == stop else "above"
        raise BadInput(f"{low} = {start!r} is {relation} {high} = {stop!r}: a window has a width.", low, str(start))
    width = stop - start
    if not math.isfinite(width) or width < sys.float_info.min:
        size = "wide" if width > 1 else "narrow"
        raise BadInput(f"The window from {start!r} to {stop!r} is too {size} for float64.", low, str(start))
    return start, stop


def window_of(get: Get, times: tuple[bool, bool]) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
    """The intervals x0 to x1 and y0 to y1; `times` tells which of the axes are of time."""
    return interval(get, "x0", "x1", time=times[0]), interval(get, "y0", "y1", time=times[1])


def whole(value: Any, field: str, least: int, most: int, error: type[BadInput | TooLarge] = BadInput) -> int:
    """A whole number from `least` to `most`; `error` is raised for one above."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _INTEGER.fullmatch(text):
        raise BadInput(f"{field} is a whole number from {least} to {most}, got {_short(value)}.", field, _given(value))
    found = int(text)
    if not least <= found <= most:
        kind = error if found > most else BadInput
        raise kind(f"{field} is a whole number from {least} to {most}, got {_short(value)}.", field, _given(value))
    return found


def image_size(get: Get, limits: Limits) -> tuple[int, int]:
    """Width and height of an image, each and together within the limits; larger ones raise TooLarge."""
    width = whole(get("width"), "width", 1, limits.image_side, TooLarge)
    height = whole(get("height"), "height", 1, limits.image_side, TooLarge)
    if width * height > limits.image_cells:
        most = limits.image_cells
        raise TooLarge(f"An image has at most {most} pixels, got {width} x {height}.", "width", width * height)
    return width, height


def choice(value: Any, field: str, allowed: Collection[str]) -> str:
    """One of a set of words."""
    if not isinstance(value, str) or value not in allowed:
        raise BadInput(f"{field} is one of {', '.join(allowed)}, got {_short(value)}.", field, _given(value))
    return value


def _parse(value: Any, field: str) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        got = "nothing" if value is None else _short(value)
        raise BadInput(f"{field} is a number, got {got}.", field, None if value is None else _given(value))
    if isinstance(value, float):
        return _finite(value, field, value)
    if isinstance(value, int):
        return value
    if _INTEGER.fullmatch(value):
        return int(value)
    if _DECIMAL.fullmatch(value):
        return _finite(float(value), field, value)
    raise BadInput(f"{field} is a finite decimal number, got {_short(value)}.", field, _given(value))


def _finite(value: float, field: str, got: Any) -> float:
    if not math.isfinite(value):
        raise BadInput(f"{field} is a finite number, got {_short(got)}.", field, _given(got))
    return value


def _short(value: Any) -> str:
    """What came, for a sentence: text in quotes."""
    return echoed(value, _SHOWN)


def _given(value: Any) -> str:
    """What came, for programs: text as it is."""
    return value[:_SHOWN] if isinstance(value, str) else echoed(value, _SHOWN)
