"""From what a page tells of its view to what a notebook computes with: numbers, degrees, and times as datetime64."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np

from bigviz.document.spec import Document

__all__ = ["ranges_of"]

End = float | int | np.datetime64 | np.timedelta64
_LEAST: Final = -(2**63) + 1  # of datetime64 and timedelta64: the number below is "not a time"
_MOST: Final = 2**63 - 1


def ranges_of(document: Document, views: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, tuple[End, End]]]:
    """By the id of each figure, {"x": (low, high), "y": (low, high)}; {} while nothing was told.

    Times are datetime64[ns], durations and times of day timedelta64[ns], log axes give the values themselves and
    mercator degrees; categories count from 0 in the order of their labels, each from its number up to the next.
    """
    figures = document.figures()
    return {
        figure.id: {side: _ends(view[side]["ends"], view[side]["is"], side) for side in ("x", "y")}
        for figure, view in zip(figures, views, strict=False)
    }


def _ends(texts: Sequence[str], kind: str, side: str) -> tuple[End, End]:
    low, high = (_end(Decimal(text), kind, side) for text in texts)
    return low, high


def _end(number: Decimal, kind: str, side: str) -> End:
    if kind == "stamp":
        return np.datetime64(_whole(number), "ns")
    if kind in ("duration", "clock"):
        return np.timedelta64(_whole(number), "ns")
    if kind == "log":
        return float(10.0 ** float(number))
    if kind == "degrees":
        return _longitude(float(number)) if side == "x" else _latitude(float(number))
    return float(number)


def _whole(number: Decimal) -> int:
    return min(_MOST, max(_LEAST, int(number.to_integral_value())))


def _longitude(x: float) -> float:
    return x * 360.0 - 180.0


def _latitude(y: float) -> float:
    """Of a fraction of the Web Mercator world, counted from the south."""
    return math.degrees(math.atan(math.sinh(math.pi * (2.0 * y - 1.0))))
