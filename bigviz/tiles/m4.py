"""M4: the few rows of each pixel column that ink the same pixels as all of its rows.

A column's run (rows that follow each other without a gap) is drawn by its first, lowest, highest and last row: the
segments between rows of one column are vertical on the screen, and those between columns join the last row of one with
the first of the next (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014). A column
of more than two runs keeps its first and its last one and, between them, one pseudo-run of the lowest and highest row;
it is flagged, because what is drawn there is not claimed identical.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.bins import Bins
from bigviz.aggregate.jit import frozen, jit
from bigviz.tiles.bounds import Number, float_from, integer_from
from bigviz.tiles.series import Series

__all__ = ["Picks", "column_bounds", "first_above", "first_from", "pick_rows", "positions_from"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Picks:
    """Chosen positions of a series, ascending: `columns` (int32, -1 and width for the neighbours outside), `runs`
    (int32, equal where consecutive picks are joined), `positions` (int64); `flagged`, the columns of more than two
    runs (int32); `rows`, how many rows the columns hold."""

    columns: Array
    runs: Array
    positions: Array
    flagged: Array
    rows: int


def first_from(series: Series, number: Number) -> int:
    """The first position whose x is not below a number, exactly."""
    if series.x.dtype.kind == "f":
        return int(positions_from(series, np.array([float_from(number)]))[0])
    least, some = integer_from(number, series.x.dtype)
    return int(positions_from(series, np.array([least], series.x.dtype))[0]) if some else len(series)


def first_above(series: Series, number: Number) -> int:
    """The first position whose x is above a number, exactly."""
    if series.x.dtype.kind != "f":
        return first_from(series, math.floor(number) + 1)
    edge = float_from(number)
    return first_from(series, math.nextafter(edge, math.inf) if edge == number else edge)


def positions_from(series: Series, edges: Array) -> npt.NDArray[np.int64]:
    """The first position whose x is not below each ascending edge; edges are float64 for floats, else of x's dtype."""
    out = np.empty(len(edges), np.int64)
    _search(series.x, series.steps, frozen(edges), out)
    return out


def column_bounds(series: Series, low: Number, high: Number, width: int) -> npt.NDArray[np.int64]:
    """The `width + 1` positions that separate the pixel columns of `[low, high]`, which is closed at both ends.

    The column of a number is the one that `aggregate.line` draws it in: `trunc(x * scale + shift)` in float64, the
    upper end in the last column; integers in a window that reaches 2^53 are divided exactly. Raises BadInput for a
    window that cannot be divided.
    """
    bins = Bins(low, high, width, name="x0")
    start, stop = first_from(series, low), first_above(series, high)
    if bins.exact(series.x.dtype):
        return np.clip(_exact_bounds(series, bins), start, stop)
    bounds = np.empty(width + 1, np.int64)
    top = round(bins.high * bins.scale + bins.shift)
    terms = np.array([bins.scale, bins.shift, top], np.float64)
    _columns(series.x, series.steps, start, stop, terms, bounds)
    return bounds


def _exact_bounds(series: Series, bins: Bins) -> npt.NDArray[np.int64]:
    """Where the columns begin by the exact rule of integers, and the last one ends, but for the rows outside."""
    limits = np.iinfo(series.x.dtype)
    if isinstance(bins.low, int) and isinstance(bins.high, int) and limits.min <= bins.low and bins.high <= limits.max:
        whole, rest = divmod(bins.high - bins.low, bins.size)  # `bins.firsts()` in machine words
        columns = np.arange(bins.size + 1, dtype=np.uint64)
        steps = columns * np.uint64(whole) + -(-(columns.astype(np.int64) * rest) // bins.size).astype(np.uint64)
        edges = (np.uint64(bins.low % (1 << 64)) + steps).view(series.x.dtype)
        bounds = positions_from(series, edges)
    else:
        firsts = bins.firsts()
        clamped = [min(max(first, limits.min), limits.max) for first in firsts]
        bounds = positions_from(series, np.array(clamped, series.x.dtype))
        bounds[np.array([first > limits.max for first in firsts])] = len(series)
    bounds[-1] = len(series)
    return bounds


def pick_rows(series: Series, bounds: Array) -> Picks:
    """The rows to draw of the columns between ascending positions `bounds`, and the nearest row on each side."""
    width = len(bounds) - 1
    room = 10 * width + 2
    columns, runs = np.empty(room, np.int32), np.empty(room, np.int64)
    positions, flagged = np.empty(room, np.int64), np.empty(width, np.int32)
    tree = series.tree
    count, marked = _pick(
        series.y,
        series.valid,
        series.gap_starts,
        series.gap_stops,
        tree.lows,
        tree.highs,
        tree.least,
        tree.most,
        tree.starts,
        bounds,
        columns,
        runs,
        positions,
        flagged,
    )
    rows = int(bounds[-1] - bounds[0])
    joined = np.cumsum(np.diff(runs[:count], prepend=runs[:1]) != 0, dtype=np.int32)
    return Picks(columns[:count], joined, positions[:count], flagged[:marked].copy(), rows)


@jit
def _search(x: Array, steps: Array, edges: Array, out: Array) -> None:
    """The first position not below each ascending edge. `steps`, every 64th number, stays in the cache."""
    low = 0
    for k in range(edges.size):
        edge = edges[k]
        high = steps.size
        low >>= 6
        while low < high:
            middle = (low + high) >> 1
            if steps[middle] < edge:
                low = middle + 1
            else:
                high = middle
        high = min(low * 64, x.size)
        low = max(low - 1, 0) * 64
        while low < high:
            middle = (low + high) >> 1
            if x[middle] < edge:
                low = middle + 1
            else:
                high = middle
        out[k] = low


@jit
def _columns(x: Array, steps: Array, start: int, stop: int, terms: Array, bounds: Array) -> None:
    """Bounds of the columns of rows `start` to `stop`; `terms`: scale, shift, and the cell of the upper end."""
    scale, shift, top = terms[0], terms[1], terms[2]
    last = bounds.size - 1
    low = start
    bounds[0] = start
    bounds[last] = stop
    for column in range(1, last):
        edge = column + 1.0 if column == top else np.float64(column)  # cell `top` belongs to the column before it
        block, end = low >> 6, (stop + 63) >> 6
        while block < end:
            middle = (block + end) >> 1
            if np.float64(steps[middle]) * scale + shift < edge:
                block = middle + 1
            else:
                end = middle
        high = min(block * 64, stop)
        low = max(low, (block - 1) * 64)
        while low < high:
            middle = (low + high) >> 1
            if np.float64(x[middle]) * scale + shift < edge:
                low = middle + 1
            else:
                high = middle
        bounds[column] = low


@jit
def _extremes(
    y: Array,
    valid: Array,
    lows: Array,
    highs: Array,
    least: Array,
    most: Array,
    starts: Array,
    first: int,
    stop: int,
) -> tuple[int, int]:
    """The first lowest and the first highest position from `first` to `stop`; -1 where no row has a value."""
    low = high = -1
    lowest = highest = y[first]
    masked = valid.size > 0
    k = first
    while k < stop:
        level = -1  # the largest block that begins at k and ends by `stop`
        size = 1
        step = 64
        while level + 2 < starts.size and k % step == 0 and k + step <= stop:
            level += 1
            size = step
            step *= 16
        if level < 0:
            value = y[k]
            if value == value and not (masked and not valid[k]):
                if low < 0 or value < lowest:
                    low = k
                    lowest = value
                if high < 0 or value > highest:
                    high = k
                    highest = value
        else:
            block = starts[level] + k // size
            if lows[block] != np.uint32(0xFFFFFFFF):
                if low < 0 or least[block] < lowest:
                    low = int(lows[block])
                    lowest = least[block]
                if high < 0 or most[block] > highest:
                    high = int(highs[block])
                    highest = most[block]
        k += size
    return low, high


@jit
def _count_below(numbers: Array, edge: int) -> int:
    """How many of the ascending numbers are below an edge. (numba's searchsorted takes a second to compile.)"""
    low, high = 0, numbers.size
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < edge:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _nearest(starts: Array, stops: Array, position: int, size: int, step: int) -> int:
    """The nearest position with a value from `position` on in direction `step`; -1 where there is none."""
    gap = _count_below(starts, position + 1) - 1
    if 0 <= position < size and gap >= 0 and position < stops[gap]:
        position = stops[gap] if step > 0 else starts[gap] - 1
    return position if 0 <= position < size else -1


@jit
def _without_ends(starts: Array, stops: Array, gap: int, first: int, stop: int) -> tuple[int, int, int, int]:
    """A column's rows without the gaps that it begins and ends in.

    `gap` is a gap not after the first one that ends after the column's start; returned are the first and the last gap
    within the rows left (the latter is the smaller where there is none), and those rows, `first` to `end`.
    """
    while gap < starts.size and stops[gap] <= first:
        gap += 1
    if gap < starts.size and starts[gap] <= first:
        first = min(stops[gap], stop)
        if stops[gap] <= stop:  # a gap that goes on is still the next column's
            gap += 1
    last = _count_below(starts, stop) - 1
    if last >= gap and stops[last] >= stop:
        stop = starts[last]
        last -= 1
    return gap, last, first, stop


@jit
def _add(
    column: int,
    run: int,
    first: int,
    low: int,
    high: int,
    last: int,
    columns: Array,
    runs: Array,
    at: Array,
    count: int,
) -> int:
    """Write a run's rows in order, each once; `first` and `last` are -1 for a pseudo-run."""
    early, late = min(low, high), max(low, high)
    for position in (first, early, late, last):
        if position >= 0 and (count == 0 or at[count - 1] != position):
            columns[count] = column
            runs[count] = run
            at[count] = position
            count += 1
    return count


@jit
def _pick(
    y: Array,
    valid: Array,
    gap_starts: Array,
    gap_stops: Array,
    lows: Array,
    highs: Array,
    least: Array,
    most: Array,
    starts: Array,
    bounds: Array,
    columns: Array,
    runs: Array,
    at: Array,
    flagged: Array,
) -> tuple[int, int]:
    """Fill the output of `pick_rows`; the number of picks and of flagged columns.

    A run is known by the number of gaps before it, doubled, so that it goes on from column to column; a pseudo-run
    takes the odd number after that of the run before it.
    """
    width = bounds.size - 1
    count = marked = 0
    left = _nearest(gap_starts, gap_stops, bounds[0] - 1, y.size, -1)
    if left >= 0:
        run = _count_below(gap_starts, left)
        count = _add(-1, 2 * run, left, left, left, left, columns, runs, at, count)
    gap = _count_below(gap_stops, bounds[0] + 1)  # the first gap that ends after the window's start
    for column in range(width):
        first, stop = bounds[column], bounds[column + 1]
        if first == stop:
            continue
        gap, last_gap, first, end = _without_ends(gap_starts, gap_stops, gap, first, stop)
        if first >= end:
            continue
        inner = last_gap - gap + 1  # gaps with a value on both sides
        for part in range(3):  # the first run, those between, the last run
            if (part == 1 and inner < 2) or (part == 2 and inner < 1):
                continue
            begin = first if part == 0 else gap_stops[gap] if part == 1 else gap_stops[last_gap]
            before = end if part == 2 or inner < 1 else gap_starts[gap] if part == 0 else gap_starts[last_gap]
            low, high = _extremes(y, valid, lows, highs, least, most, starts, begin, before)
            run = 2 * (last_gap + 1) if part == 2 else 2 * gap + part
            ends = (-1, -1) if part == 1 else (begin, before - 1)
            count = _add(column, run, ends[0], low, high, ends[1], columns, runs, at, count)
        if inner > 1:
            flagged[marked] = column
            marked += 1
        gap += max(inner, 0)
    right = _nearest(gap_starts, gap_stops, bounds[width], y.size, 1)
    if right >= 0:
        run = _count_below(gap_starts, right)
        count = _add(width, 2 * run, right, right, right, right, columns, runs, at, count)
    return count, marked
