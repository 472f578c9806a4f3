"""Bounds of the values of a column in a piece of a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa

__all__ = ["NOTHING", "Statistics", "merged", "of_scalar"]

_DAY = 86_400_000_000_000
_EPOCH = dt.date(1970, 1, 1).toordinal()


class Statistics(NamedTuple):
    """Bounds of a column's values: integers, floats, texts, times in nanoseconds, or decimals times ten to their
    scale. NaN and null may lie anywhere else.

    `low` and `high` are None where nothing is known. `nulls` and `values` are False where there is certainly none.
    """

    low: int | float | str | None = None
    high: int | float | str | None = None
    nulls: bool = True
    values: bool = True


NOTHING = Statistics(None, None, nulls=True, values=False)
"""Of rows that are all null."""


def merged(parts: Iterable[Statistics | None]) -> Statistics | None:
    """Those of several pieces together; None if of one nothing is known."""
    found: Statistics | None = None
    for each in parts:
        if each is None:
            return None
        found = each if found is None else _both(found, each)
    return found


def _both(one: Statistics, other: Statistics) -> Statistics:
    nulls = one.nulls or other.nulls
    if not one.values or not other.values:
        return (other if other.values else one)._replace(nulls=nulls)
    lows: list[Any] = [one.low, other.low]
    highs: list[Any] = [one.high, other.high]
    low = None if None in lows else min(lows)
    return Statistics(low, None if None in highs else max(highs), nulls)


def of_scalar(value: pa.Scalar) -> Statistics | None:
    """Those of rows that all have this value."""
    found = value.as_py()
    if found is None:
        return NOTHING
    if isinstance(found, dt.date) and not isinstance(found, dt.datetime):
        found = (found.toordinal() - _EPOCH) * _DAY
    return Statistics(found, found, nulls=False) if isinstance(found, int | str) else None
