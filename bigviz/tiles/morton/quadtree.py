"""From sorted keys to the cells of a tile: any tile is found by descent and costs its own rows at most.

A tile of zoom (zx, zy) is a rectangle of codes. The descent walks the quadtree of squares over the sorted keys, drops
the squares outside, and yields the ranges of rows of those inside and of small ones on the border. Rows that share a
cell lie next to each other, so counting leaps over each run of them by galloping: a pile of equal rows costs its
logarithm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import SLICE
from bigviz.tiles.grid.interleave import compact, spread
from bigviz.tiles.grid.tile_key import DEEPEST, Codes, TileKey
from bigviz.tiles.morton.packed_rtree import enclosed, touched
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, lower_bound, open_block, run_end
from bigviz.wire.codec import CELLS, SIDE

__all__ = [
    "LEAF",
    "LONG",
    "PART",
    "STACK",
    "Ranges",
    "batches_within",
    "cells_of",
    "cells_within",
    "count_cells",
    "count_ranges",
    "count_rows",
    "descend",
    "in_batches",
    "morton_cells",
    "offset_of",
    "positions_in_parts",
    "positions_of",
    "ranges_within",
    "table_of",
    "terms_of",
]

Array = npt.NDArray[Any]
PART: Final = 1 << 17  # rows that are gathered between two looks at the cancel flag: a few milliseconds
LEAF: Final = 256  # a square on the border with at most so many rows is scanned, not divided
LONG: Final = 1 << 11  # nor is one with at most so many rows that lie on a line, all inside but for some at its ends
_BATCH: Final = 1 << 15  # ranges between two looks at the cancel flag, at most
_FIRST: Final = 1 << 10  # ranges that are looked for at first: room for more is 550 KB, and most tiles have some 50
STACK: Final = 3 * 32 + 4  # rows of a descent's stack: three squares wait on each of 32 levels
_STRIDE: Final = 64  # rows that are counted without a look for a pile


@dataclass(frozen=True)
class Ranges:
    """Half-open ranges of ordered rows, ascending: `low`, `high` (int64), and `whole`, True where every row is meant.

    The rows of a range that is not whole may lie outside the requested rectangle. A whole range is one square of the
    quadtree, or a part of a square with few rows.
    """

    low: Array
    high: Array
    whole: npt.NDArray[np.bool_]

    @staticmethod
    def one(low: int, high: int) -> Ranges:
        """One whole range."""
        return Ranges(np.array([low], np.int64), np.array([high], np.int64), np.ones(1, np.bool_))

    @staticmethod
    def joined(parts: Sequence[Ranges]) -> Ranges:
        """The ranges of at least one part, one after the other."""
        if len(parts) == 1:
            return parts[0]
        arrays = zip(*((each.low, each.high, each.whole) for each in parts), strict=True)
        return Ranges(*(np.concatenate(each) for each in arrays))

    @cached_property
    def rows(self) -> int:
        """Rows in all ranges; counted once, since drawing a tile asks three times."""
        return int((self.high - self.low).sum())


def ranges_within(
    guard: SortedKeys, codes: Codes, cancel: Cancel = NEVER, inner: Codes | None = None, leaf: int = LEAF
) -> Ranges:
    """The ranges that hold every row of a rectangle of codes, its ends included.

    A range is whole if it lies in `inner`, a smaller rectangle (which may be empty), by default the same. Squares on
    the border with at most `leaf` rows are not divided. Raises Unreadable for damaged keys.
    """
    return Ranges.joined(list(batches_within(guard, codes, cancel, inner, leaf=leaf)))


def batches_within(
    guard: SortedKeys,
    codes: Codes,
    cancel: Cancel = NEVER,
    inner: Codes | None = None,
    size: int | None = None,
    leaf: int = LEAF,
) -> Iterator[Ranges]:
    """The same in at least one batch, of at most `size` ranges (default: 1,024), then twice as many, and so on: for
    callers that may stop before the end."""
    bounds = np.array([codes, inner or codes], np.int64)
    stack = np.empty((STACK, 4), np.int64)
    stack[0] = 0, len(guard), 0, 0
    depth, room = 1, min(size or _FIRST, _BATCH)
    while depth:
        cancel.check()
        squares, whole = np.empty((room, 4), np.int64), np.empty(room, np.bool_)
        found, depth = descend(guard.fenced, bounds, stack, depth, squares, whole, leaf)
        guard.keys.check()
        yield Ranges(squares[:found, 0].copy(), squares[:found, 1].copy(), whole[:found])
        room = min(2 * room, _BATCH)


def count_cells(guard: SortedKeys, ranges: Ranges, tile: TileKey, plane: Array, cancel: Cancel = NEVER) -> None:
    """Add the rows of the ranges that lie in the tile to its uint32 plane (256 x 256, row 0 the highest y).

    A whole range is one that `ranges_within` found for this tile, or a part of one.
    """
    flat = plane.reshape(CELLS)
    low, high, whole = frozen(ranges.low), frozen(ranges.high), frozen(ranges.whole)
    for part in in_batches(ranges):
        cancel.check()
        count_ranges(guard.fenced, low[part], high[part], whole[part], *terms_of(tile), table_of(tile), flat)
    guard.keys.check()


def count_rows(guard: SortedKeys, tile: TileKey, cancel: Cancel = NEVER) -> int:
    """How many rows lie in a tile: by two searches in a square one."""
    if tile.zx == tile.zy:
        low, high = guard.span(*tile.keys)
        return high - low
    ranges = ranges_within(guard, tile.codes, cancel)
    sure = int((ranges.high - ranges.low)[ranges.whole].sum())
    edge = positions_of(ranges.low[~ranges.whole], ranges.high[~ranges.whole])
    return sure + int((cells_of(guard.keys.take(edge), tile) >= 0).sum())


def cells_of(keys: Array, tile: TileKey) -> npt.NDArray[np.int32]:
    """The cell of the tile (row 0 the highest y) of each key; -1 for keys outside it."""
    cells = np.empty(len(keys), np.int32)
    _cells(frozen(keys), *terms_of(tile), cells)
    return cells


def cells_within(
    guard: SortedKeys, low: int, high: int, tile: TileKey, out: npt.NDArray[np.int32] | None = None
) -> npt.NDArray[np.int32]:
    """The same for the rows of a part of a whole range of the tile; written to `out`, if that is given, which has room
    for them."""
    keys = guard.keys.take(slice(low, high))
    cells = np.empty(high - low, np.int32) if out is None else out[: high - low]
    _square_cells(keys, *terms_of(tile), table_of(tile), cells)
    return cells


def morton_cells() -> Array:
    """The cell of a square tile (row 0 the highest y, uint16) at each place of its 65,536 cells in Morton order."""
    return _table(0, 0)


def positions_of(low: Array, high: Array) -> npt.NDArray[np.int64]:
    """The positions of half-open ranges, one after the other."""
    lengths = high - low
    shift = low - np.cumsum(lengths) + lengths
    return np.asarray(np.arange(lengths.sum()) + np.repeat(shift, lengths), np.int64)


def positions_in_parts(ranges: Ranges, size: int, cancel: Cancel) -> Iterator[npt.NDArray[np.int64]]:
    """The positions of ranges, at most `size` at a time, ascending; with a look at the flag before each part."""
    order = np.argsort(ranges.low)
    low, high = ranges.low[order], ranges.high[order]
    ends = np.cumsum(high - low)
    for start in range(0, ranges.rows, size):
        cancel.check()
        stop = min(start + size, ranges.rows)
        first, last = np.searchsorted(ends, [start, stop - 1], "right")
        part = slice(int(first), int(last) + 1)
        lows, highs = low[part].copy(), high[part].copy()
        lows[0] += start - (int(ends[first]) - int(high[first] - low[first]))
        highs[-1] -= int(ends[last]) - stop
        yield positions_of(lows, highs)


def terms_of(tile: TileKey) -> tuple[int, int, int, int]:
    """A tile as kernels take it: the bits that it leaves out of codes on x and on y, its column, and its row from the
    bottom."""
    return DEEPEST - tile.zx, DEEPEST - tile.zy, tile.i, tile.row


def in_batches(ranges: Ranges) -> list[slice]:
    """The ranges in batches of at most about a slice of rows, or of one longer range."""
    if ranges.rows <= SLICE:
        return [slice(0, len(ranges.low))]
    ends = np.cumsum(ranges.high - ranges.low) // SLICE
    cuts = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(ends)]
    return [slice(a, b) for a, b in pairwise(cuts)]


def table_of(tile: TileKey) -> Array:
    """The cell of a tile of each cell of its lowest square in Morton order."""
    finest = max(tile.zx, tile.zy)
    return _table(min(finest - tile.zx, 8), min(finest - tile.zy, 8))


@cache
def _table(less_x: int, less_y: int) -> Array:
    """The cell of a tile (row 0 the highest y, uint16) of each of the 65,536 cells of its lowest square in Morton
    order; the tile's cells are longer by powers of two. There are 17 tables of 128 KB. Keys come in order, so what is
    read of a table stays in the first cache."""
    morton = np.arange(CELLS, dtype=np.uint64)
    x, y = (
        sum((morton >> np.uint64(2 * b + axis) & np.uint64(1)) << np.uint64(b) for b in range(8)) for axis in (0, 1)
    )
    line = np.uint64(SIDE - 1) - (y >> np.uint64(less_y))
    return frozen((line * np.uint64(SIDE) + (x >> np.uint64(less_x))).astype(np.uint16))


@jit
def descend(
    fenced: Fenced, bounds: Array, stack: Array, depth: int, out: Array, whole: Array, leaf: int
) -> tuple[int, int]:  # fmt: skip
    """Continue a descent until the output or the work ends: the ranges found, and the depth of the stack left.

    A row of the stack is a square: its rows (low, high), its level, and its first key (as int64 bits). So is one of
    `out`, for each range found; `whole` says which of them are whole. `bounds` holds the rectangle and the inner
    one. The stack has `STACK` rows, or that many more than it begins with.
    """
    x0, x1, y0, y1 = bounds[0]
    left, right, bottom, top = bounds[1]
    squares, told = fenced.squares, 0
    while 1 << 2 * told < squares.size - 1:
        told += 1
    found = 0
    while depth > 0 and found < whole.size:
        depth -= 1
        low, high, level, first = stack[depth, 0], stack[depth, 1], stack[depth, 2], np.uint64(stack[depth, 3])
        size = (1 << (32 - level)) - 1
        x, y = np.int64(compact(first)), np.int64(compact(first >> np.uint64(1)))
        if low == high or x > x1 or x + size < x0 or y > y1 or y + size < y0:
            continue
        inside = x >= left and x + size <= right and y >= bottom and y + size <= top
        if not inside and not touched(fenced.boxes, low, high, x0, x1, y0, y1):
            continue
        few = high - low <= leaf or (high - low <= LONG and enclosed(fenced.boxes, low, high, left, right, bottom, top))
        if inside or few or level == 32:
            out[found, 0] = low
            out[found, 1] = high
            out[found, 2] = level
            out[found, 3] = np.int64(first)
            whole[found] = inside
            found += 1
            continue
        step = np.uint64(62 - 2 * level)
        end = high
        for quarter in range(3, -1, -1):
            key = first + (np.uint64(quarter) << step)
            if quarter == 0:
                start = low
            elif level < told:
                start = np.int64(squares[key >> np.uint64(64 - 2 * told)])
            else:
                start = lower_bound(fenced, low, end, key)
            stack[depth, 0] = start
            stack[depth, 1] = end
            stack[depth, 2] = level + 1
            stack[depth, 3] = np.int64(key)
            depth += 1
            end = start
    return found, depth


@jit
def offset_of(key: np.uint64, x: int, y: int, i: int, row: int) -> np.uint64:
    """What the cells of the finest square around a key differ by from those of the tile's lowest square."""
    finest = min(x, y)
    code_x, code_y = np.int64(compact(key)), np.int64(compact(key >> np.uint64(1)))
    column = ((code_x >> (finest + 8) << (finest + 8)) >> x) - np.int64(i) * 256
    line = ((code_y >> (finest + 8) << (finest + 8)) >> y) - np.int64(row) * 256
    return np.uint64(column - line * 256)


@jit
def count_ranges(
    fenced: Fenced,
    lows: Array,
    highs: Array,
    whole: Array,
    x: int,
    y: int,
    i: int,
    row: int,
    table: Array,
    plane: Array,
) -> None:
    """Count rows into cells of codes shortened by `x` and `y` bits; cells outside the tile (i, row) are skipped.

    Rows of a whole range lie in one square of the tile's finer level, so 16 bits of a key and a table give the cell:
    0.8 ns a row. Piles of rows in one cell are leapt over.
    """
    keys = fenced.keys
    shift = np.uint64(2 * min(x, y))
    mask = np.uint64(0xFFFF)
    for r in range(lows.size):
        at = lows[r]
        high = highs[r]
        if not whole[r]:
            _count_some(fenced, at, high, x, y, i, row, plane)
            continue
        if at == high:
            continue
        open_block(fenced, at >> 13)
        offset = offset_of(keys[at], x, y, i, row)
        while at < high:
            open_block(fenced, at >> 13)
            stop = min(((at >> 13) + 1) << 13, high)
            while at < stop:
                end = min(at + _STRIDE, stop)
                head = keys[at] >> shift
                if end - at == _STRIDE and keys[end - 1] >> shift == head:
                    end = run_end(fenced, at, high, shift)
                    plane[(np.uint64(table[head & mask]) + offset) & mask] += np.uint32(end - at)
                else:
                    for k in range(np.uint64(at), np.uint64(end)):
                        plane[(np.uint64(table[keys[k] >> shift & mask]) + offset) & mask] += np.uint32(1)
                at = end


@jit
def _count_some(fenced: Fenced, low: int, high: int, x: int, y: int, i: int, row: int, plane: Array) -> None:
    """Count the rows of a range that may lie outside the tile; it touches two blocks at most.

    The bits of one axis alone are in the order of its codes, so most rows are left out by two comparisons. Rows on a
    line come cell by cell: as long as the bits of the cell stay the same, a row takes 1 ns, else 6.
    """
    if low >= high:
        return
    open_block(fenced, low >> 13)
    open_block(fenced, (high - 1) >> 13)
    bits_x, bits_y = np.uint64(0x5555555555555555), np.uint64(0xAAAAAAAAAAAAAAAA)
    left, bottom = np.int64(i) * 256, np.int64(row) * 256
    first_x, last_x = spread(np.uint64(left << x)), spread(np.uint64((left + 256 << x) - 1))
    first_y = spread(np.uint64(bottom << y)) << np.uint64(1)
    last_y = spread(np.uint64((bottom + 256 << y) - 1)) << np.uint64(1)
    fine_x, fine_y = spread(np.uint64((1 << x) - 1)), spread(np.uint64((1 << y) - 1)) << np.uint64(1)
    told = ~(fine_x | fine_y)
    k = low
    while k < high:
        key = fenced.keys[k]
        head = key & told
        start = k
        k += 1
        while k < high and fenced.keys[k] & told == head:
            k += 1
        if first_x <= key & bits_x <= last_x and first_y <= key & bits_y <= last_y:
            column = np.int64(compact(key) >> np.uint64(x)) - left
            line = np.int64(compact(key >> np.uint64(1)) >> np.uint64(y)) - bottom
            plane[(255 - line) * 256 + column] += np.uint32(k - start)


@jit
def _cells(keys: Array, x: int, y: int, i: int, row: int, cells: Array) -> None:
    """The cell of each row, or -1. Keys may be in any order."""
    shift = np.uint64(2 * min(x, y))
    left, bottom = np.int64(i) * 256, np.int64(row) * 256
    head = np.uint64(0)
    cell = -1
    for k in range(keys.size):
        if k == 0 or keys[k] >> shift != head:
            head = keys[k] >> shift
            column = np.int64(compact(keys[k]) >> np.uint64(x)) - left
            line = np.int64(compact(keys[k] >> np.uint64(1)) >> np.uint64(y)) - bottom
            inside = 0 <= column < 256 and 0 <= line < 256
            cell = int((255 - line) * 256 + column) if inside else -1
        cells[k] = cell


@jit
def _square_cells(keys: Array, x: int, y: int, i: int, row: int, table: Array, cells: Array) -> None:
    """The cell of each row of a part of a whole range."""
    if keys.size == 0:
        return
    shift = np.uint64(2 * min(x, y))
    mask = np.uint64(0xFFFF)
    offset = offset_of(keys[0], x, y, i, row)
    for k in range(keys.size):
        cells[k] = np.int32((np.uint64(table[keys[k] >> shift & mask]) + offset) & mask)
