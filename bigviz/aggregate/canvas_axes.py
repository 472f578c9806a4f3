"""The sides of an image: their ends, from what was given or from the columns, and the coordinates of their cells."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.canvas_bins import Bins
from bigviz.common.errors import BadInput
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, ColumnInfo

__all__ = ["Range", "centres", "number", "pair", "spans", "wide"]

Array = npt.NDArray[Any]
Range = tuple[Any, Any]

_SLICE: Final = 1 << 17  # rows whose lowest and highest are found at a time, so that they are read from memory once


def pair(values: Any, name: str) -> Range:
    """(low, high) of what was given for a side. Raises BadInput for another number of ends."""
    ends = tuple(values)
    if len(ends) != 2:
        raise BadInput(f"{name} must be (low, high), got {ends}", name, ends)
    return ends


def spans(columns: Sequence[Column], threads: int) -> list[tuple[int | float, int | float]]:
    """The lowest and the highest number of each column, found in one pass on all threads.

    -1 and 1 where there is no number or an infinite one; one number plus and minus 1; times are ints. All as
    datashader has it.
    """
    pieces = [(at, start) for at, column in enumerate(columns) for start in range(0, len(column), _SLICE)]
    found: list[list[tuple[Any, Any]]] = [[] for _ in columns]

    def look(piece: tuple[int, int]) -> int:
        at, start = piece
        column = columns[at]
        values = column.values[start : start + _SLICE]
        if column.valid is not None:
            values = values[column.valid[start : start + _SLICE]]
        if values.dtype.kind == "f":
            found[at].append((np.fmin.reduce(values, initial=np.inf), np.fmax.reduce(values, initial=-np.inf)))
        elif len(values):
            found[at].append((values.min(), values.max()))
        return len(values)

    groups = [pieces[k::threads] for k in range(threads)]
    Crew(threads).run("finding ranges", lambda group: sum(map(look, group)), groups, sum(map(len, columns)))
    return [_span(column, ends) for column, ends in zip(columns, found, strict=True)]


def _span(column: Column, ends: list[tuple[Any, Any]]) -> tuple[int | float, int | float]:
    whole = int if column.info.is_time else float
    if not ends:
        return -1.0, 1.0
    low, high = whole(min(low for low, _ in ends)), whole(max(high for _, high in ends))
    return wide(low, high) if math.isfinite(low) and math.isfinite(high) else (-1.0, 1.0)


def wide(low: int | float, high: int | float) -> tuple[int | float, int | float]:
    """The range of a column from its extremes."""
    return (low - 1, low + 1) if low == high else (low, high)


def number(value: Any, info: ColumnInfo, name: str) -> int | float:
    """One end of a range as a Python number."""
    if info.is_time:
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            value = np.datetime64(value.astimezone(datetime.UTC).replace(tzinfo=None))
        if isinstance(value, str | datetime.date):
            value = np.datetime64(value)
        if isinstance(value, np.datetime64):
            return int(value.astype("datetime64[ns]").view(np.int64))
        if isinstance(value, datetime.timedelta):
            value = np.timedelta64(value)
        if isinstance(value, np.timedelta64):
            return int(value.astype("timedelta64[ns]").view(np.int64))
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise BadInput(f"{name} must be two numbers, got {value!r}", name, value)
    return plain


def centres(info: ColumnInfo, bins: Bins) -> Array:
    """The coordinates of the cells: datetime64 for dates and stamps, timedelta64 for times of day and durations."""
    if not info.is_time:
        return bins.centres()
    low, high = int(bins.low), int(bins.high)
    middles = [low + (2 * k + 1) * (high - low) // (2 * bins.size) for k in range(bins.size)]
    unit = "datetime64[ns]" if info.kind in ("date", "timestamp") else "timedelta64[ns]"
    return np.array(middles, np.int64).view(unit)
