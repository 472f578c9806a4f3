"""The first, lowest, highest and last row in the brush of each pixel column of a line.

A brush is ranges of its source's order, and most of its rows lie in blocks of which every row is meant. What the rows
of a block have in each column is found once for a window: of blocks of 16,384 rows (at 10^8 rows and 1,024 columns), of
8 of these, of 64, and so on. A brush then costs the blocks that cover it, some comparisons a column each, and the rows
at the ends of its ranges; what it was before does not matter. So rows that go cost no more than rows that come, nothing
is counted again, and no column is ever an estimate.

Falcon's and Mosaic's cubes (see `brush.py`) hold the same for each pixel of the brushed view; blocks are exact between
pixels, and serve a source of any kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.source_order import Change, SourceOrder
from bigviz.tiles.brush.orders.stretches import Stretches, parts_of, whole_stretches
from bigviz.tiles.series.m4 import Picks
from bigviz.tiles.series.series import Series

__all__ = ["LineBlocks", "RowsBeside"]

Array = npt.NDArray[Any]
Each = Callable[[int, Callable[[int], None]], None]

_TABLE: Final = 1 << 15
_MOST: Final = 1 << 28  # bytes of the smallest blocks
_ENTRY: Final = 24  # bytes of a column of a block, of y of 4 bytes
_LEAST: Final = 4  # rows a column: smaller blocks would take more memory than what they are made of
_FAN: Final = 3  # bits: 8 blocks make one of the next level
_GROUP: Final = 32  # blocks that a thread takes at a time


@dataclass(frozen=True)
class RowsBeside:
    """What lies beside the rows of a source's order: `places` in the line (uint32, 2^32 - 1: none), `heights` (y), and
    `failed` (uint8; no rows: zero everywhere), of which a row of the line has none of `bits`."""

    places: Array
    heights: Array
    failed: Array
    bits: np.uint8


class _Columns(NamedTuple):
    """How the column of a place is found: ascending `bounds`, and the column that each 2^`shift` places begin in."""

    bounds: Array
    table: Array
    shift: int


class LineBlocks:
    """The blocks of a window between ascending `bounds` (positions of a series without gaps). Column 0 has the places
    before the first bound, and column `width + 1` those after the last one: of these the nearest ones are drawn too."""

    def __init__(self, beside: RowsBeside, series: Series, bounds: Array, crew: Crew) -> None:
        rows, count = len(beside.places), len(bounds) + 1
        self._beside, self._series, self._count = beside, series, count
        self._columns = _columns_of(bounds)
        self._ends = _ends_of(series.y.dtype)
        least = max(rows * count * _ENTRY // _MOST, count * _LEAST, 1)
        self._bits = (least - 1).bit_length()
        sizes = [-(-rows // (1 << self._bits))]
        while sizes[-1] > 1 << _FAN:
            sizes.append(-(-sizes[-1] // (1 << _FAN)))
        self._starts = np.cumsum([0, *sizes], dtype=np.int64)
        self._places, self._heights = _room(int(self._starts[-1]), count, series.y.dtype)
        crew.run("decimating the line", self._fill, slices(sizes[0], _GROUP), rows)
        for level in range(1, len(sizes)):
            self._raise(level)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self._places.nbytes + self._heights.nbytes)

    def picks(self, order: SourceOrder, change: Change, each: Each, cancel: Cancel) -> Picks:
        """The rows to draw of a brush, and the nearest one in it on each side; `each(count, work)` calls work on
        several threads."""
        blocks, rest = self._cover(change)
        groups = [blocks[at : at + _GROUP] for at in range(0, len(blocks), _GROUP)]
        parts = [part for stretches in rest for part in parts_of(stretches)]
        places, heights = _room(len(groups) + len(parts) + 1, self._count, self._series.y.dtype)

        def look(k: int) -> None:
            cancel.check()
            if k < len(groups):
                _join(frozen(groups[k]), self._places, self._heights, self._ends, places[k], heights[k])
                return
            found = order.picked(parts[k - len(groups)])
            _look(found.low, found.high, found.places, places[k], heights[k], *self._terms())

        each(len(places) - 1, look)
        every = frozen(np.arange(len(places) - 1))
        _join(every, places, heights, self._ends, places[-1], heights[-1])
        return self._listed(places[-1])

    def _terms(self) -> tuple[Any, ...]:
        beside = self._beside
        rows = frozen(beside.places), frozen(beside.heights), frozen(beside.failed), beside.bits
        return *rows, self._ends, *self._columns

    def _fill(self, piece: tuple[int, int]) -> int:
        """The smallest blocks."""
        rows, none = len(self._beside.places), frozen(np.empty(0, np.uint32))
        for block in range(*piece):
            low, high = block << self._bits, min(block + 1 << self._bits, rows)
            ends = frozen(np.array([low], np.int64)), frozen(np.array([high], np.int64))
            _look(*ends, none, self._places[block], self._heights[block], *self._terms())
        return min(piece[1] << self._bits, rows) - (piece[0] << self._bits)

    def _raise(self, level: int) -> None:
        """Those that are made of smaller ones."""
        before, here, after = self._starts[level - 1 : level + 2].tolist()
        for block in range(after - here):
            below = frozen(np.arange(before + (block << _FAN), min(before + (block + 1 << _FAN), here)))
            at = here + block
            _join(below, self._places, self._heights, self._ends, self._places[at], self._heights[at])

    def _cover(self, change: Change) -> tuple[Array, list[Stretches]]:
        """The blocks that lie in a brush, and its other rows."""
        low = np.concatenate([np.empty(0, np.int64), *(each.low[each.whole] for each in change)])
        high = np.concatenate([np.empty(0, np.int64), *(each.high[each.whole] for each in change)])
        blocks, ends = np.empty(int(self._starts[1]) + 1, np.int64), np.empty((2, 2 * len(low)), np.int64)
        rows = len(self._beside.places)
        some, left = _split(frozen(low), frozen(high), rows, self._bits, frozen(self._starts), blocks, ends)
        return blocks[:some], [whole_stretches(*ends[:, :left]), *_borders(change)]

    def _listed(self, places: Array) -> Picks:
        series, width = self._series, self._count - 2
        columns, positions = np.empty(4 * width + 2, np.int32), np.empty(4 * width + 2, np.int64)
        count = _list(frozen(places), columns, positions)
        positions = positions[:count]
        none = np.empty(0, np.int32)
        return Picks(
            columns[:count], np.zeros(count, np.int32), positions, series.x.at(positions), series.y[positions], none, 0
        )


def _columns_of(bounds: Array) -> _Columns:
    width = len(bounds) - 1
    span = max(int(bounds[-1] - bounds[0]), 1)
    shift = max(0, span.bit_length() - _TABLE.bit_length() + 1)
    starts = bounds[0] + (np.arange((span >> shift) + 1) << shift)
    table = np.searchsorted(bounds[1:], starts, "right").clip(0, width - 1).astype(np.int32)
    return _Columns(frozen(bounds), frozen(table), shift)


def _ends_of(dtype: np.dtype[Any]) -> Array:
    """The lowest and the highest number of a type."""
    if dtype.kind == "f":
        return frozen(np.array([-np.inf, np.inf], dtype))
    limits = np.iinfo(dtype)
    return frozen(np.array([limits.min, limits.max], dtype))


def _room(blocks: int, columns: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Room for what columns have: places (first, lowest, highest, last) and heights (lowest, highest)."""
    return np.empty((blocks, 4, columns), np.uint32), np.empty((blocks, 2, columns), dtype)


def _borders(change: Change) -> Iterator[Stretches]:
    """The ranges of which not every row is meant."""
    for each in change:
        edge = ~each.whole
        if edge.any():
            yield Stretches(each.low[edge], each.high[edge], each.whole[edge], each.bounds, each.box, each.inverse)


@jit
def _clear(ends: Array, out: Array, heights: Array) -> None:
    """No row in any column: places as none has them, so that each row comes before them, and after the last one."""
    none = np.uint32(0xFFFFFFFF)
    for column in range(out.shape[1]):
        out[0, column] = out[1, column] = out[2, column] = none
        out[3, column] = np.uint32(0)
        heights[0, column] = ends[1]
        heights[1, column] = ends[0]


@jit
def _take_in(places: Array, ys: Array, bounds: Array, table: Array, shift: int, out: Array, heights: Array) -> None:
    """Rows, with the first of those that are equally low or high kept. Without a branch on what a row beats: of a
    block's few rows a column any may, and a wrong guess takes as long as three rows."""
    first, stop, after = bounds[0], bounds[bounds.size - 1], bounds.size
    for k in range(places.size):
        place, height = places[k], ys[k]
        if place == np.uint32(0xFFFFFFFF):
            continue
        at = np.int64(place)
        column = 0
        if at >= stop:
            column = after
        elif at >= first:
            column = int(table[(at - first) >> shift]) + 1
            while at >= bounds[column]:
                column += 1
        out[0, column] = min(out[0, column], place)
        out[3, column] = max(out[3, column], place)
        low, high = heights[0, column], heights[1, column]
        lowest, highest = out[1, column], out[2, column]
        below = (height < low) | ((height == low) & (place < lowest))
        above = (height > high) | ((height == high) & (place < highest))
        heights[0, column] = height if below else low
        out[1, column] = place if below else lowest
        heights[1, column] = height if above else high
        out[2, column] = place if above else highest


@jit
def _look(
    lows: Array, highs: Array, chosen: Array, out: Array, heights: Array, places: Array, ys: Array, failed: Array,
    bits: np.uint8, ends: Array, bounds: Array, table: Array, shift: int,
) -> None:  # fmt: skip
    """What the rows of ranges of positions, and those at `chosen` positions, have in each column."""
    _clear(ends, out, heights)
    every = failed.size == 0
    some_places, some_ys = np.empty(256, np.uint32), np.empty(256, ys.dtype)
    for r in range(lows.size):
        if every:
            part = slice(lows[r], highs[r])
            _take_in(places[part], ys[part], bounds, table, shift, out, heights)
            continue
        for start in range(lows[r], highs[r], 256):
            count = 0
            for k in range(start, min(start + 256, highs[r])):
                some_places[count] = places[k]
                some_ys[count] = ys[k]
                count += failed[k] & bits == 0
            _take_in(some_places[:count], some_ys[:count], bounds, table, shift, out, heights)
    for start in range(0, chosen.size, 256):
        count = 0
        for k in range(start, min(start + 256, chosen.size)):
            at = np.int64(chosen[k])
            some_places[count] = places[at]
            some_ys[count] = ys[at]
            count += every or failed[at] & bits == 0
        _take_in(some_places[:count], some_ys[:count], bounds, table, shift, out, heights)


@jit
def _join(blocks: Array, places: Array, ys: Array, ends: Array, out: Array, heights: Array) -> None:
    """What some blocks have in each column together."""
    _clear(ends, out, heights)
    for b in range(blocks.size):
        here, high = places[blocks[b]], ys[blocks[b]]
        for column in range(out.shape[1]):
            out[0, column] = min(out[0, column], here[0, column])
            out[3, column] = max(out[3, column], here[3, column])
            if high[0, column] < heights[0, column] or (
                high[0, column] == heights[0, column] and here[1, column] < out[1, column]
            ):
                heights[0, column] = high[0, column]
                out[1, column] = here[1, column]
            if high[1, column] > heights[1, column] or (
                high[1, column] == heights[1, column] and here[2, column] < out[2, column]
            ):
                heights[1, column] = high[1, column]
                out[2, column] = here[2, column]


@jit
def _split(
    lows: Array, highs: Array, rows: int, bits: int, starts: Array, blocks: Array, ends: Array
) -> tuple[int, int]:
    """Write the largest blocks that lie in ascending ranges, and what is left of the ranges (two rows: low and high);
    how many there are of both. Ranges that touch are one; the last block ends with the rows."""
    fan, some, left, r = 1 << _FAN, 0, 0, 0
    while r < lows.size:
        low, high = lows[r], highs[r]
        r += 1
        while r < lows.size and lows[r] == high:
            high = highs[r]
            r += 1
        first = (low + (1 << bits) - 1) >> bits
        last = starts[1] if high == rows else high >> bits
        if first >= last:
            ends[0, left], ends[1, left] = low, high
            left += 1
            continue
        if low < first << bits:
            ends[0, left], ends[1, left] = low, first << bits
            left += 1
        if last << bits < high:
            ends[0, left], ends[1, left] = last << bits, high
            left += 1
        level = 0
        while first < last:
            top = level == starts.size - 2
            while first < last and (top or first % fan != 0):
                blocks[some] = starts[level] + first
                some += 1
                first += 1
            full = starts[level + 1] - starts[level]
            while first < last and last % fan != 0 and last != full:
                last -= 1
                blocks[some] = starts[level] + last
                some += 1
            if first < last:
                first, last = first >> _FAN, (last + fan - 1) >> _FAN
                level += 1
    return some, left


@jit
def _list(places: Array, columns: Array, positions: Array) -> int:
    """Write columns and positions of the rows to draw in order, each once; how many there are."""
    none = np.uint32(0xFFFFFFFF)
    count = 0
    for column in range(places.shape[1]):
        first, last = places[0, column], places[3, column]
        if first == none:
            continue
        early, late = min(places[1, column], places[2, column]), max(places[1, column], places[2, column])
        if column == 0:
            first = early = late = last
        if column == places.shape[1] - 1:
            early = late = last = first
        for turn in range(4):
            place = np.int64(first if turn == 0 else early if turn == 1 else late if turn == 2 else last)
            if count > 0 and positions[count - 1] == place:
                continue
            columns[count] = column - 1
            positions[count] = place
            count += 1
    return count
