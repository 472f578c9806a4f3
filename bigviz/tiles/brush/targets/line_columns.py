"""The first, lowest, highest and last row in the brush of each pixel column of a line, while rows come and go.

A row that comes is compared with what its column shows. A column that loses one of its four rows is looked through:
block by block of 256 rows, as the line's tree has them, passing over blocks without a row in the brush and blocks whose
extremes (of all rows) are within what was found already. So with a tenth of the rows in the brush a column of 10^5 rows
takes some twenty blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.series.m4 import Picks
from bigviz.tiles.series.series import LEAF, Series

__all__ = ["ColumnRows", "Members"]

Array = npt.NDArray[Any]
Each = Callable[[int, Callable[[int], None]], None]

_TABLE: Final = 1 << 15
_ENDS: Final = 9  # bits of the first and the last row
_ALL: Final = 15
_GROUP: Final = 32  # columns that are looked through at a time


class Members:
    """Which positions of a line are in the brush: `inside` (uint8), and how many of each 256 (int32), for each worker
    apart; their sum counts."""

    def __init__(self, rows: int, workers: int) -> None:
        self.inside = np.zeros(rows, np.uint8)
        self.blocks = np.zeros((workers, -(-rows // LEAF)), np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.inside.nbytes + self.blocks.nbytes)

    def mark(self, worker: int, places: Array, sign: int) -> None:
        """Add or take away positions; 2^32 - 1 is none."""
        _mark(places, np.uint8(sign > 0), sign, self.inside, self.blocks[worker])

    def clear(self) -> None:
        """Take all away."""
        self.inside[:] = 0
        self.blocks[:] = 0


@dataclass
class _Pending:
    """What a worker has seen since the columns were looked at: the best rows that came, and columns that lost one."""

    places: Array
    heights: Array
    stale: Array


class ColumnRows:
    """The four rows of each column between ascending `bounds` (positions of a series without gaps)."""

    def __init__(self, series: Series, bounds: Array, members: Members, workers: int) -> None:
        self._series, self._bounds, self._members = series, frozen(bounds), members
        width = len(bounds) - 1
        self._places = np.full((4, width), -1, np.int64)  # first, lowest, highest, last
        self._heights = np.zeros((2, width), series.y.dtype)
        self._stale = np.full(width, _ALL, np.uint8)  # bits: which of the four were lost
        self._pending = [
            _Pending(np.full((4, width), -1, np.int64), np.zeros((2, width), series.y.dtype), np.zeros(width, np.uint8))
            for _ in range(workers)
        ]
        self._next = 0
        span = max(int(bounds[-1] - bounds[0]), 1)
        self._shift = max(0, span.bit_length() - _TABLE.bit_length() + 1)
        starts = bounds[0] + (np.arange((span >> self._shift) + 1) << self._shift)
        self._table = frozen(np.searchsorted(bounds[1:], starts, "right").clip(0, width - 1).astype(np.int32))

    def add(self, worker: int, places: Array, heights: Array, sign: int) -> None:
        """Rows come or go. Workers may call this at a time, but no row comes and goes between two calls of `merge`."""
        pending = self._pending[worker]
        terms = self._bounds, self._table, self._shift
        if sign > 0:
            _come(places, heights, *terms, pending.places, pending.heights)
        else:
            _go(places, *terms, self._places, pending.stale)

    def merge(self) -> None:
        """Take in what the workers have seen."""
        for pending in self._pending:
            _merge(pending.places, pending.heights, pending.stale, self._places, self._heights, self._stale)

    def clear(self) -> None:
        """All rows have been taken away."""
        for pending in self._pending:
            pending.places[:], pending.stale[:] = -1, 0
        self._places[:], self._stale[:] = -1, 0

    @property
    def exact(self) -> bool:
        """Whether no column waits to be looked through."""
        return not self._stale.any()

    def refresh(self, each: Each, most: int | None = None) -> None:
        """Look for the rows that columns lost: the first and the last ones, and the lowest and highest ones of as many
        columns as hold `most` rows (None: all); `each(count, work)` calls work on several threads."""
        self._look(np.flatnonzero(self._stale & _ENDS), _ENDS, each)
        stale = np.flatnonzero(self._stale)
        if most is not None and len(stale):
            stale = np.roll(stale, -int(np.searchsorted(stale, self._next)))  # from where the last call ended
            rows = np.cumsum(self._bounds[stale + 1] - self._bounds[stale])
            stale = stale[: max(int(np.searchsorted(rows, most, "right")), 1)]
            self._next = int(stale[-1]) + 1
        self._look(stale, _ALL, each)

    def _look(self, columns: Array, which: int, each: Each) -> None:
        groups = [columns[at : at + _GROUP] for at in range(0, len(columns), _GROUP)]
        series, members = self._series, self._members

        def look(k: int) -> None:
            _look_through(
                groups[k], self._bounds, frozen(series.y), frozen(series.tree.values), members.inside, members.blocks,
                self._stale, which, self._places, self._heights,
            )  # fmt: skip

        each(len(groups), look)

    def picks(self) -> Picks:
        """The rows to draw, and the nearest one in the brush on each side."""
        series, bounds, members = self._series, self._bounds, self._members
        left = int(_nearest(members.inside, members.blocks, int(bounds[0]) - 1, -1))
        right = int(_nearest(members.inside, members.blocks, int(bounds[-1]), 1))
        width = len(bounds) - 1
        columns, positions = np.empty(4 * width + 2, np.int32), np.empty(4 * width + 2, np.int64)
        count = _list(self._places, left, right, columns, positions)
        positions = positions[:count]
        none = np.empty(0, np.int32)
        return Picks(
            columns[:count], np.zeros(count, np.int32), positions, series.x.at(positions), series.y[positions], none, 0
        )


@jit
def _mark(places: Array, value: np.uint8, sign: int, inside: Array, blocks: Array) -> None:
    for k in range(places.size):
        place = places[k]
        if place != np.uint32(0xFFFFFFFF):
            inside[place] = value
            blocks[place >> np.uint32(8)] += sign


@jit
def _column_of(place: Any, bounds: Array, table: Array, shift: int) -> Any:
    """The column of a position, -1 outside."""
    if place < bounds[0] or place >= bounds[-1]:
        return -1
    column = table[(place - bounds[0]) >> shift]
    while place >= bounds[column + 1]:
        column += 1
    return column


@jit
def _come(places: Array, heights: Array, bounds: Array, table: Array, shift: int, best: Array, extremes: Array) -> None:
    for k in range(places.size):
        place = np.int64(places[k])
        column = _column_of(place, bounds, table, shift)
        if column < 0:
            continue
        height = heights[k]
        if best[0, column] < 0:
            best[0, column] = best[1, column] = best[2, column] = best[3, column] = place
            extremes[0, column] = extremes[1, column] = height
            continue
        best[0, column] = min(best[0, column], place)
        best[3, column] = max(best[3, column], place)
        low, high = extremes[0, column], extremes[1, column]
        if height < low or (height == low and place < best[1, column]):
            extremes[0, column] = height
            best[1, column] = place
        if height > high or (height == high and place < best[2, column]):
            extremes[1, column] = height
            best[2, column] = place


@jit
def _go(places: Array, bounds: Array, table: Array, shift: int, held: Array, stale: Array) -> None:
    for k in range(places.size):
        place = np.int64(places[k])
        column = _column_of(place, bounds, table, shift)
        if column < 0:
            continue
        for which in range(4):
            if place == held[which, column]:
                stale[column] |= np.uint8(1 << which)


@jit
def _merge(best: Array, extremes: Array, lost: Array, places: Array, heights: Array, stale: Array) -> None:
    """Take in what came, and forget it."""
    for column in range(lost.size):
        stale[column] |= lost[column]
        lost[column] = 0
        if best[0, column] < 0:
            continue
        if places[0, column] < 0:
            for k in range(4):
                places[k, column] = best[k, column]
            for k in range(2):
                heights[k, column] = extremes[k, column]
        else:
            places[0, column] = min(places[0, column], best[0, column])
            places[3, column] = max(places[3, column], best[3, column])
            low, high = extremes[0, column], extremes[1, column]
            if low < heights[0, column] or (low == heights[0, column] and best[1, column] < places[1, column]):
                heights[0, column] = low
                places[1, column] = best[1, column]
            if high > heights[1, column] or (high == heights[1, column] and best[2, column] < places[2, column]):
                heights[1, column] = high
                places[2, column] = best[2, column]
        best[0, column] = -1


@jit
def _look_through(
    columns: Array, bounds: Array, y: Array, tree: Array, inside: Array, blocks: Array, stale: Array, which: int,
    places: Array, heights: Array,
) -> None:  # fmt: skip
    """`tree[b]` holds the lowest and the highest of all rows of block b; `stale` says by its bits which of the four
    rows were lost, and those of `which` are looked for. A row's height is compared before it is asked whether the row
    is in the brush: that is decided the same way nearly always."""
    for c in range(columns.size):
        column = columns[c]
        first, stop, lost = bounds[column], bounds[column + 1], np.int64(stale[column]) & which
        stale[column] &= np.uint8(15 - which)
        if lost & 1 or places[0, column] < 0:
            found = _nearest(inside, blocks, first, 1) if first < stop else -1
            if found < 0 or found >= stop:
                places[0, column] = -1
                stale[column] = 0
                continue
            places[0, column] = found
        if lost & 8:
            places[3, column] = _nearest(inside, blocks, stop - 1, -1)
        for side in range(2):
            if lost & (2 << side) == 0:
                continue
            at = places[0, column]
            best, place = y[at], at
            while at < stop:
                block = at >> 8
                end = min((block + 1) << 8, stop)
                beats = tree[block, 0] < best if side == 0 else tree[block, 1] > best
                if beats and _count_of(blocks, block) > 0:
                    if side == 0:
                        for k in range(at, end):
                            if y[k] < best and inside[k] > 0:
                                best, place = y[k], k
                    else:
                        for k in range(at, end):
                            if y[k] > best and inside[k] > 0:
                                best, place = y[k], k
                at = end
            places[1 + side, column] = place
            heights[side, column] = best


@jit
def _count_of(blocks: Array, block: int) -> Any:
    """How many rows of a block are in the brush."""
    some = 0
    for part in range(blocks.shape[0]):
        some += blocks[part, block]
    return some


@jit
def _nearest(inside: Array, blocks: Array, start: int, step: int) -> int:
    """The nearest position in the brush from one on, downwards or upwards; -1 without one."""
    at = start
    while 0 <= at < inside.size:
        block = at >> 8
        if _count_of(blocks, block) == 0:
            at = (block << 8) - 1 if step < 0 else (block + 1) << 8
            continue
        if inside[at] > 0:
            return at
        at += step
    return -1


@jit
def _list(places: Array, left: int, right: int, columns: Array, positions: Array) -> int:
    """Write columns and positions of the rows to draw in order, each once; how many there are."""
    count = 0
    if left >= 0:
        columns[0] = -1
        positions[0] = left
        count = 1
    for column in range(places.shape[1]):
        if places[0, column] < 0:
            continue
        early, late = min(places[1, column], places[2, column]), max(places[1, column], places[2, column])
        for turn in range(4):
            place = places[0, column] if turn == 0 else early if turn == 1 else late if turn == 2 else places[3, column]
            if place < places[0, column] or place > places[3, column]:  # a row that was lost
                continue
            if count > 0 and positions[count - 1] == place:
                continue
            columns[count] = column
            positions[count] = place
            count += 1
    if right >= 0:
        columns[count] = places.shape[1]
        positions[count] = right
        count += 1
    return count
