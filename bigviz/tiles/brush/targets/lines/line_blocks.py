"""The first, lowest, highest and last row in the brush of each pixel column of a line.

A brush is ranges of its source's order, and most of its rows lie in blocks of which every row is meant. What the rows
of a block have in each column is found once for a window: of small blocks, of 8 of these, of 64, and so on. A brush
then costs the blocks that cover it, some comparisons a column each, and the rows at the ends of its ranges; what it was
before does not matter. So rows that go cost no more than rows that come, nothing is counted again, and no column is
ever an estimate.

A block has the columns from the first to the last that its rows lie in. Rows that are near each other in the source's
order are in few of them where the line's x is an axis of the source, and blocks of 256 rows are small enough; where
they lie anywhere, the smallest blocks have 16,384 rows (at 10^8 rows and 1,024 columns).

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
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.position_ranges import PositionRanges, parts_of, whole_ranges
from bigviz.tiles.brush.orders.source_order import Change, SourceOrder
from bigviz.tiles.brush.targets.lines.line_kernels import (
    FAN,
    clear,
    fill_blocks,
    find_spans,
    join_blocks,
    list_picks,
    look_at_rows,
    merge,
    raise_level,
    split_ranges,
)  # fmt: skip
from bigviz.tiles.series.m4 import Picks
from bigviz.tiles.series.series import Series

__all__ = ["LineBlocks", "RowsBeside"]

Array = npt.NDArray[Any]
Each = Callable[[int, Callable[[int], None]], None]

_TABLE: Final = 1 << 15
_MOST: Final = 1 << 28  # bytes of the smallest blocks
_ENTRY: Final = 24  # bytes of a column of a block, of y of 4 bytes
_LEAST: Final = 4  # rows a column: smaller blocks would take more memory than what they are made of
_FINEST: Final = 8  # bits: blocks have 256 rows or more, as squares on a brush's border do
_GROUP: Final = 1 << 17  # rows of blocks that a thread takes at a time
_SHARE: Final = 128  # blocks that it joins at a time


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


class _Bands(NamedTuple):
    """The columns of blocks, level by level from the rows up: block b has those from `first[b]` on, which lie at
    `starts[b]` to `starts[b + 1]` of all. Level k is the blocks from `levels[k]` to `levels[k + 1]`."""

    first: Array
    starts: Array
    levels: Array


class LineBlocks:
    """The blocks of a window between ascending `bounds` (positions of a series without gaps). Column 0 has the places
    before the first bound, and column `width + 1` those after the last one: of these the nearest ones are drawn too."""

    def __init__(self, beside: RowsBeside, series: Series, bounds: Array, crew: Crew) -> None:
        rows = len(beside.places)
        self._beside, self._series, self._count = beside, series, len(bounds) + 1
        self._columns = _columns_of(bounds)
        self._ends = _ends_of(series.y.dtype)
        self._bits, self._bands = _bands_of(*_spans(beside.places, crew), bounds, rows)
        self._places, self._heights = _room(int(self._bands.starts[-1]), series.y.dtype)
        levels, group = self._bands.levels.tolist(), max(_GROUP >> self._bits, 1)
        crew.run("decimating the line", self._fill, slices(levels[1], group), rows)
        for level in range(1, len(levels) - 1):
            before, here, after = levels[level - 1 : level + 2]
            raise_level(before, here, after, *self._bands[:2], self._places, self._heights, self._ends)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self._places.nbytes + self._heights.nbytes + self._bands.first.nbytes + self._bands.starts.nbytes)

    def picks(self, order: SourceOrder, change: Change, each: Each, cancel: Cancel) -> Picks:
        """The rows to draw of a brush, and the nearest one in it on each side; `each(count, work)` calls work on
        several threads."""
        blocks, rest = self._cover(change)
        groups = [blocks[at : at + _SHARE] for at in range(0, len(blocks), _SHARE)]
        parts = [part for ranges in rest for part in parts_of(ranges)]
        found = [_room(self._count, self._series.y.dtype) for _ in range(len(groups) + len(parts))]

        def look(k: int) -> None:
            cancel.check()
            if k < len(groups):
                clear(self._ends, *found[k])
                join_blocks(groups[k], *self._bands[:2], self._places, self._heights, 0, *found[k])
                return
            rows = order.picked(parts[k - len(groups)])
            look_at_rows(rows.low, rows.high, rows.places, *found[k], *self._terms())

        each(len(found), look)
        places, heights = _room(self._count, self._series.y.dtype)
        clear(self._ends, places, heights)
        for part in found:
            merge(*part, places, heights)
        return self._listed(places)

    def _terms(self) -> tuple[Any, ...]:
        beside = self._beside
        rows = frozen(beside.places), frozen(beside.heights), frozen(beside.failed), beside.bits
        return *rows, self._ends, *self._columns

    def _fill(self, piece: tuple[int, int]) -> int:
        """The smallest blocks."""
        rows, bands = len(self._beside.places), self._bands
        fill_blocks(*piece, self._bits, *bands[:2], self._places, self._heights, *self._terms())
        return min(piece[1] << self._bits, rows) - (piece[0] << self._bits)

    def _cover(self, change: Change) -> tuple[Array, list[PositionRanges]]:
        """The blocks that lie in a brush, and its other rows."""
        low = np.concatenate([np.empty(0, np.int64), *(each.low[each.whole] for each in change)])
        high = np.concatenate([np.empty(0, np.int64), *(each.high[each.whole] for each in change)])
        levels, rows = self._bands.levels, len(self._beside.places)
        blocks, ends = np.empty(int(levels[1]) + 1, np.int64), np.empty((2, 2 * len(low)), np.int64)
        some, left = split_ranges(frozen(low), frozen(high), rows, self._bits, frozen(levels), blocks, ends)
        return blocks[:some], [whole_ranges(*ends[:, :left]), *_borders(change)]

    def _listed(self, places: Array) -> Picks:
        series, width = self._series, self._count - 2
        columns, positions = np.empty(4 * width + 2, np.int32), np.empty(4 * width + 2, np.int64)
        count = list_picks(frozen(places), columns, positions)
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


def _room(columns: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Room for what columns have: places (first, lowest, highest, last) and heights (lowest, highest)."""
    return np.empty((columns, 4), np.uint32), np.empty((columns, 2), dtype)


def _spans(places: Array, crew: Crew) -> tuple[Array, Array]:
    """The lowest and the highest place of each 2^8 rows; of rows without one the lowest is the higher."""
    rows = len(places)
    low, high = (np.empty((rows + (1 << _FINEST) - 1) >> _FINEST, np.int64) for _ in range(2))

    def look(piece: tuple[int, int]) -> int:
        find_spans(frozen(places), *piece, _FINEST, low, high)
        return min(piece[1] << _FINEST, rows) - (piece[0] << _FINEST)

    crew.run("decimating the line", look, slices(len(low), max(_GROUP >> _FINEST, 1)), rows)
    return low, high


def _bands_of(low: Array, high: Array, bounds: Array, rows: int) -> tuple[int, _Bands]:
    """How many bits the number of rows of the smallest blocks has, and their bands: such that they neither take more
    memory than they may, nor have more columns than are worth it."""
    bits = _FINEST
    while True:
        first, stop = np.searchsorted(bounds, low, "right"), np.searchsorted(bounds, high, "right") + 1
        first = np.minimum(first, stop)
        total = int((stop - first).sum())
        if len(low) == 1 or (total * _ENTRY <= _MOST and total * _LEAST <= rows):
            break
        low, high, bits = np.minimum.reduceat(low, _pairs(low)), np.maximum.reduceat(high, _pairs(high)), bits + 1
    firsts, stops = [first], [stop]
    while len(firsts[-1]) > 1 << FAN:
        at = np.arange(0, len(firsts[-1]), 1 << FAN)
        firsts.append(np.minimum.reduceat(firsts[-1], at))
        stops.append(np.maximum.reduceat(stops[-1], at))
    every = np.concatenate(firsts)
    starts = np.cumsum(np.concatenate([[0], np.concatenate(stops) - every]))
    levels = np.cumsum([0, *(len(each) for each in firsts)], dtype=np.int64)
    return bits, _Bands(frozen(every.astype(np.int64)), frozen(starts.astype(np.int64)), levels)


def _pairs(values: Array) -> Array:
    return np.arange(0, len(values), 2)


def _borders(change: Change) -> Iterator[PositionRanges]:
    """The ranges of which not every row is meant."""
    for each in change:
        edge = ~each.whole
        if edge.any():
            yield PositionRanges(each.low[edge], each.high[edge], each.whole[edge], each.bounds, each.box, each.inverse)
