"""Kernels of the blocks of a line: see `line_blocks`.

What rows have in each column is `out` (columns, 4), uint32: the places in the line of the first, the lowest, the
highest and the last row, 2^32 - 1 (of the last one 0) where there is none; and `heights` (columns, 2): the lowest and
the highest y. `starts` and `firsts` say which columns a block has, as `line_blocks` does; `bounds`, `table` and `shift`
how the column of a place is found.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = [
    "FAN",
    "clear",
    "fill_blocks",
    "find_spans",
    "join_blocks",
    "list_picks",
    "look_at_rows",
    "merge",
    "raise_level",
    "split_ranges",
]

Array = npt.NDArray[Any]

FAN: Final = 3  # bits: 8 blocks make one of the next level
_FIRST: Final[Any] = np.int64(0)  # a column; of a literal numba would compile what it is given to once more


@jit
def find_spans(places: Array, first: int, stop: int, bits: int, low: Array, high: Array) -> None:
    """The lowest and the highest place (int64) of each block of 2^`bits` rows; of one without any 2^32 - 1 and -1."""
    none = np.uint32(0xFFFFFFFF)
    for block in range(first, stop):
        lowest, highest = none, np.uint32(0)
        some = False
        for k in range(block << bits, min((block + 1) << bits, places.size)):
            place = places[k]
            lowest = min(lowest, place)
            highest = max(highest, np.uint32(0) if place == none else place)
            some |= place != none
        low[block] = np.int64(lowest)
        high[block] = np.int64(highest) if some else np.int64(-1)


@jit
def clear(ends: Array, out: Array, heights: Array) -> None:
    """No row in any column: places as none has them, so that each row comes before them, and after the last one."""
    none = np.uint32(0xFFFFFFFF)
    for column in range(out.shape[0]):
        out[column, 0] = out[column, 1] = out[column, 2] = none
        out[column, 3] = np.uint32(0)
        heights[column, 0] = ends[1]
        heights[column, 1] = ends[0]


@jit
def _take_in(
    places: Array, ys: Array, bounds: Array, table: Array, shift: int, base: int, out: Array, heights: Array
) -> None:
    """Rows, with the first of those that are equally low or high kept; `out` begins with column `base`. Without a
    branch on what a row beats: of a block's few rows a column any may, and a wrong guess takes as long as three
    rows."""
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
        column -= base
        out[column, 0] = min(out[column, 0], place)
        out[column, 3] = max(out[column, 3], place)
        low, high = heights[column, 0], heights[column, 1]
        lowest, highest = out[column, 1], out[column, 2]
        below = (height < low) | ((height == low) & (place < lowest))
        above = (height > high) | ((height == high) & (place < highest))
        heights[column, 0] = height if below else low
        out[column, 1] = place if below else lowest
        heights[column, 1] = height if above else high
        out[column, 2] = place if above else highest


@jit
def fill_blocks(
    first: int, stop: int, bits: int, firsts: Array, starts: Array, out: Array, heights: Array, places: Array,
    ys: Array, failed: Array, taken: np.uint8, ends: Array, bounds: Array, table: Array, shift: int,
) -> None:  # fmt: skip
    """What blocks of 2^`bits` rows have in each of their columns."""
    some_places, some_ys = np.empty(256, np.uint32), np.empty(256, ys.dtype)
    for block in range(first, stop):
        part = slice(starts[block], starts[block + 1])
        clear(ends, out[part], heights[part])
        low, high, base = block << bits, min((block + 1) << bits, places.size), firsts[block]
        if failed.size == 0:
            _take_in(places[low:high], ys[low:high], bounds, table, shift, base, out[part], heights[part])
            continue
        for start in range(low, high, 256):
            count = 0
            for k in range(start, min(start + 256, high)):
                some_places[count] = places[k]
                some_ys[count] = ys[k]
                count += failed[k] & taken == 0
            _take_in(some_places[:count], some_ys[:count], bounds, table, shift, base, out[part], heights[part])


@jit
def look_at_rows(
    lows: Array, highs: Array, chosen: Array, out: Array, heights: Array, places: Array, ys: Array, failed: Array,
    bits: np.uint8, ends: Array, bounds: Array, table: Array, shift: int,
) -> None:  # fmt: skip
    """What the rows of ranges of positions, and those at `chosen` positions, have in each column."""
    clear(ends, out, heights)
    every = failed.size == 0
    some_places, some_ys = np.empty(256, np.uint32), np.empty(256, ys.dtype)
    for r in range(lows.size):
        if every:
            part = slice(lows[r], highs[r])
            _take_in(places[part], ys[part], bounds, table, shift, _FIRST, out, heights)
            continue
        for start in range(lows[r], highs[r], 256):
            count = 0
            for k in range(start, min(start + 256, highs[r])):
                some_places[count] = places[k]
                some_ys[count] = ys[k]
                count += failed[k] & bits == 0
            _take_in(some_places[:count], some_ys[:count], bounds, table, shift, _FIRST, out, heights)
    for start in range(0, chosen.size, 256):
        count = 0
        for k in range(start, min(start + 256, chosen.size)):
            at = np.int64(chosen[k])
            some_places[count] = places[at]
            some_ys[count] = ys[at]
            count += every or failed[at] & bits == 0
        _take_in(some_places[:count], some_ys[:count], bounds, table, shift, _FIRST, out, heights)


@jit
def merge(places: Array, ys: Array, out: Array, heights: Array) -> None:
    """Take in what some rows have in each column."""
    for column in range(places.shape[0]):
        out[column, 0] = min(out[column, 0], places[column, 0])
        out[column, 3] = max(out[column, 3], places[column, 3])
        low, high = ys[column, 0], ys[column, 1]
        below = (low < heights[column, 0]) | ((low == heights[column, 0]) & (places[column, 1] < out[column, 1]))
        above = (high > heights[column, 1]) | ((high == heights[column, 1]) & (places[column, 2] < out[column, 2]))
        heights[column, 0] = low if below else heights[column, 0]
        out[column, 1] = places[column, 1] if below else out[column, 1]
        heights[column, 1] = high if above else heights[column, 1]
        out[column, 2] = places[column, 2] if above else out[column, 2]


@jit
def join_blocks(
    blocks: Array, firsts: Array, starts: Array, places: Array, ys: Array, base: int, out: Array, heights: Array
) -> None:
    """Take in what some blocks have in each of their columns; `out` begins with column `base`."""
    for b in range(blocks.size):
        block = blocks[b]
        part, at = slice(starts[block], starts[block + 1]), firsts[block] - base
        size = starts[block + 1] - starts[block]
        merge(places[part], ys[part], out[at : at + size], heights[at : at + size])


@jit
def raise_level(
    before: int, here: int, after: int, firsts: Array, starts: Array, places: Array, ys: Array, ends: Array
) -> None:
    """The blocks `here` to `after`, each of 8 of those from `before` on."""
    for block in range(after - here):
        below = np.arange(before + (block << FAN), min(before + ((block + 1) << FAN), here))
        part = slice(starts[here + block], starts[here + block + 1])
        clear(ends, places[part], ys[part])
        join_blocks(below, firsts, starts, places, ys, firsts[here + block], places[part], ys[part])


@jit
def split_ranges(
    lows: Array, highs: Array, rows: int, bits: int, starts: Array, blocks: Array, ends: Array
) -> tuple[int, int]:
    """Write the largest blocks that lie in ascending ranges, and what is left of the ranges (two rows: low and high);
    how many there are of both. Ranges that touch are one; the last block ends with the rows."""
    fan, some, left, r = 1 << FAN, 0, 0, 0
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
                first, last = first >> FAN, (last + fan - 1) >> FAN
                level += 1
    return some, left


@jit
def list_picks(places: Array, columns: Array, positions: Array) -> int:
    """Write columns and positions of the rows to draw in order, each once; how many there are."""
    none = np.uint32(0xFFFFFFFF)
    count = 0
    for column in range(places.shape[0]):
        first, last = places[column, 0], places[column, 3]
        if first == none:
            continue
        early, late = min(places[column, 1], places[column, 2]), max(places[column, 1], places[column, 2])
        if column == 0:
            first = early = late = last
        if column == places.shape[0] - 1:
            early = late = last = first
        for turn in range(4):
            place = np.int64(first if turn == 0 else early if turn == 1 else late if turn == 2 else last)
            if count > 0 and positions[count - 1] == place:
                continue
            columns[count] = column - 1
            positions[count] = place
            count += 1
    return count
