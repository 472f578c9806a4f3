"""M4: the few rows of each pixel column that ink the same pixels as all of its rows.

A column's run (rows that follow each other without a gap) is drawn by its first, lowest, highest and last row: the
segments between rows of one column are vertical on the screen, and those between columns join the last row of one with
the first of the next (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014). A column
of more than two runs keeps the first and the last run and, between them, one pseudo-run of the lowest and highest row;
it is flagged, because there the drawing may differ.

The columns' bounds come from x, their runs from the gaps, the rows of a run from the tree and from the two blocks of
rows that a run shares with its neighbours; so whatever is read of a series on disk is known, and checked, beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.window import Number, float_from, integer_from
from bigviz.tiles.series.minmax_search import find_parts
from bigviz.tiles.series.series import LEAF, Series
from bigviz.tiles.series.sorted_numbers import Ascending

__all__ = ["Picks", "check_blocks", "column_bounds", "first_above", "first_from", "pick_rows"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Picks:
    """Chosen positions of a series, ascending: `columns` (int32, -1 and width for the neighbours outside), `runs`
    (int32, equal where consecutive picks are joined), `positions` (int64), `x` and `y` there; `flagged`, the columns
    of more than two runs (int32); `rows`, how many rows the columns hold."""

    columns: Array
    runs: Array
    positions: Array
    x: Array
    y: Array
    flagged: Array
    rows: int


def first_from(x: Ascending, number: Number) -> int:
    """The first position whose x is not below a number, exactly."""
    if x.dtype.kind == "f":
        return int(x.first(np.array([float_from(number)]))[0])
    least, some = integer_from(number, x.dtype)
    return int(x.first(np.array([least], x.dtype))[0]) if some else len(x)


def first_above(x: Ascending, number: Number) -> int:
    """The first position whose x is above a number, exactly."""
    if x.dtype.kind != "f":
        return first_from(x, math.floor(number) + 1)
    edge = float_from(number)
    return first_from(x, math.nextafter(edge, math.inf) if edge == number else edge)


def column_bounds(x: Ascending, low: Number, high: Number, width: int) -> npt.NDArray[np.int64]:
    """The `width + 1` positions that separate the pixel columns of `[low, high]`, which is closed at both ends.

    The column of a number is the one that `aggregate.line` draws it in: `trunc(x * scale + shift)` in float64, the
    upper end in the last column; integers in a window that reaches 2^53 are divided exactly. Raises BadInput for a
    window that cannot be divided. Lines over one x share the search.
    """
    bins = Bins(low, high, width, name="x0")
    return x.searches.get((low, high, width), lambda: _bounds(x, bins))


def _bounds(x: Ascending, bins: Bins) -> npt.NDArray[np.int64]:
    start, stop = first_from(x, bins.low), first_above(x, bins.high)
    if bins.exact(x.dtype):
        return np.clip(_exact_bounds(x, bins), start, stop)
    places = np.arange(bins.size + 1, dtype=np.float64)
    top = round(bins.high * bins.scale + bins.shift)  # this cell belongs to the column before it
    if 0 < top < bins.size:
        places[top] += 1.0
    bounds = np.empty(bins.size + 1, np.int64)
    bounds[1:-1] = np.clip(x.first_place(bins.scale, bins.shift, places[1:-1]), start, stop)
    bounds[0], bounds[-1] = start, stop
    return bounds


def _exact_bounds(x: Ascending, bins: Bins) -> npt.NDArray[np.int64]:
    """Where the columns begin by the exact rule of integers, and the last one ends, but for the rows outside."""
    limits = np.iinfo(x.dtype)
    if isinstance(bins.low, int) and isinstance(bins.high, int) and limits.min <= bins.low and bins.high <= limits.max:
        whole, rest = divmod(bins.high - bins.low, bins.size)  # `bins.firsts()` in machine words
        columns = np.arange(bins.size + 1, dtype=np.uint64)
        steps = columns * np.uint64(whole) + -(-(columns.astype(np.int64) * rest) // bins.size).astype(np.uint64)
        edges = (np.uint64(bins.low % (1 << 64)) + steps).view(x.dtype)
        bounds = x.first(edges)
    else:
        firsts = bins.firsts()
        clamped = [min(max(first, limits.min), limits.max) for first in firsts]
        bounds = x.first(np.array(clamped, x.dtype))
        bounds[np.array([first > limits.max for first in firsts])] = len(x)
    bounds[-1] = len(x)
    return bounds


def pick_rows(series: Series, bounds: Array) -> Picks:
    """The rows to draw of the columns between ascending positions `bounds`, and the nearest row on each side."""
    width = len(bounds) - 1
    parts = np.empty((3 * width + 2, 4), np.int64)
    flagged = np.empty(width, np.int32)
    ranks = _gap_ranks(series.gaps, bounds)
    some, marked = _parts(len(series), series.gaps.values, frozen(ranks), frozen(bounds), parts, flagged)
    parts = parts[:some]
    check_blocks(series, parts)
    found, heights = np.empty((some, 4), np.int64), np.empty((some, 4), series.y.dtype)
    tree = series.tree
    values, places, starts = (frozen(each) for each in (tree.values, tree.places, tree.starts))
    find_parts(frozen(series.y), values, places, starts, frozen(parts), found, heights)
    room = 4 * some
    columns, runs, y = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, series.y.dtype)
    positions, nodes = np.empty(room, np.int64), np.empty(room, np.int64)
    count = _pick(frozen(parts), frozen(found), frozen(heights), columns, runs, positions, nodes, y)
    positions = positions[:count]
    return Picks(
        columns[:count],
        runs[:count],
        positions,
        _numbers(series.x, tree.xs, nodes[:count], positions),
        y[:count],
        flagged[:marked].copy(),
        int(bounds[-1] - bounds[0]),
    )


def check_blocks(series: Series, parts: Array) -> None:
    """Check, if they are to be checked, the blocks of y that hold the first and the last row of some parts."""
    if series.check_y is not None:
        first, last = parts[:, 2] & -LEAF, parts[:, 3] - 1 & -LEAF
        series.check_y(*(np.minimum(np.concatenate([first + more, last + more]), len(series)) for more in (0, LEAF)))


def _numbers(x: Ascending, known: Array, nodes: Array, positions: Array) -> Array:
    """The x of positions, from the tree where it holds them."""
    if not len(known):
        return x.at(positions)
    out = known.reshape(-1)[nodes]
    unknown = np.flatnonzero(nodes < 0)
    out[unknown] = x.at(positions[unknown])
    return out


def _gap_ranks(gaps: Ascending, bounds: Array) -> npt.NDArray[np.int64]:
    """How many edges of gaps lie before each bound (those on it not counted)."""
    if not len(gaps):
        return np.zeros(len(bounds), np.int64)
    ranks = gaps.first(bounds)
    if gaps.check is not None:
        gaps.check(np.maximum(ranks - 2, 0), np.minimum(ranks + 2, len(gaps)))
    return ranks


@jit
def _parts(size: int, edges: Array, ranks: Array, bounds: Array, parts: Array, flagged: Array) -> tuple[int, int]:
    """Cut the columns, and the neighbours on each side, into runs: column, run, first position and where it ends.

    A run is known by the number of gap edges before it, which is even, so that it goes on from column to column; a
    pseudo-run takes the odd number after that of the run before it. Returns the number of parts and of flagged columns.
    """
    width = bounds.size - 1
    count = marked = 0
    left, rank = bounds[0] - 1, ranks[0]
    if rank % 2 == 1:  # the row before the window is in a gap that begins at edge rank - 1
        rank -= 1
        left = edges[rank] - 1
    if left >= 0:
        count = _part(parts, count, -1, rank, left, left + 1)
    for column in range(width):
        first, stop = bounds[column], bounds[column + 1]
        if first == stop:
            continue
        before, after = ranks[column], ranks[column + 1]  # edges before the first row, and before the end
        if before < edges.size and edges[before] == first:
            before += 1
        if before % 2 == 1:
            first = edges[before]
            before += 1
        if after % 2 == 1:
            after -= 1
            stop = edges[after]
        if first >= stop:
            continue
        gaps = (after - before) // 2  # with a value on both sides
        count = _part(parts, count, column, before, first, edges[before] if gaps > 0 else stop)
        if gaps > 1:
            count = _part(parts, count, column, before + 1, edges[before + 1], edges[after - 2])
            flagged[marked] = column
            marked += 1
        if gaps > 0:
            count = _part(parts, count, column, after, edges[after - 1], stop)
    right, rank = bounds[width], ranks[width]
    if rank < edges.size and edges[rank] == right:
        rank += 1
    if rank % 2 == 1:
        right = edges[rank]
        rank += 1
    if right < size:
        count = _part(parts, count, width, rank, right, right + 1)
    return count, marked


@jit
def _part(parts: Array, count: int, column: int, run: int, first: int, stop: int) -> int:
    parts[count, 0] = column
    parts[count, 1] = run
    parts[count, 2] = first
    parts[count, 3] = stop
    return count + 1


@jit
def _pick(
    parts: Array, found: Array, heights: Array, columns: Array, runs: Array, at: Array, nodes: Array, out: Array
) -> int:
    """Write the rows of each part in order, each once: column, run from 0 on, position, the tree's place of the value
    or -1, and the value; how many there are. A pseudo-run has neither first nor last row."""
    count = run = 0
    for part in range(parts.shape[0]):
        first, last = parts[part, 2], parts[part, 3] - 1
        early = 0 if found[part, 0] <= found[part, 1] else 1
        whole = parts[part, 1] & 1 == 0
        if part > 0 and parts[part, 1] != parts[part - 1, 1]:
            run += 1
        for turn in range(4):
            side = early if turn == 1 else 1 - early
            position = first if turn == 0 else last if turn == 3 else found[part, side]
            if (turn == 0 or turn == 3) and not whole:
                continue
            if count > 0 and at[count - 1] == position:
                continue
            inner = turn == 1 or turn == 2
            columns[count] = parts[part, 0]
            runs[count] = run
            at[count] = position
            nodes[count] = found[part, 2 + side] if inner else -1
            out[count] = heights[part, 1 + side if inner else turn]
            count += 1
    return count
