"""The cells of an image in which consecutive rows of an order lie, from 32 bits of their keys.

Some ten thousand rows in Morton order lie in one square, whose side is a hundred pixels or so. Within it 32 bits of a
key are 65,536 steps on each axis, far finer than a pixel, and a vector of eight rows is placed by float32. A step that
crosses the border of a pixel, or comes close to one, says nothing of a row: such rows, a few in a thousand, are left.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.jit import jit
from bigviz.tiles.grid.interleave import compact

__all__ = ["KeyMaps", "count_by_keys", "pixels_a_code", "place_by_keys"]

Array = npt.NDArray[Any]

_STEPS: Final = 1 << 16  # on each axis of a square
_WIDEST: Final = 128.0  # pixels of a square: a step is at most 1/512 of one
_CLOSE: Final = 2.0**-13  # of a pixel: what float32 may be off in a square, and more
_ROUNDED: Final = 2.0**-50  # of a place and of what it is the difference of: what both maps may be off
_FARTHEST: Final = float(1 << 30)  # pixels: cells are int32
_MOST_SHIFT: Final = 32  # of a key of 64 bits
_LOOK: Final = 64  # rows among which those that are left are looked for at a time
_UNKNOWN: Final = np.iinfo(np.int32).min


class KeyMaps(NamedTuple):
    """Both axes of an image: the pixel of code 0, how many pixels a code is long, and the shift of the image's own map,
    which rounds numbers as large as that; the bits of a key below the steps of the widest square, negative where every
    square is too wide; the image's cells on each side, and the number of no cell."""

    x_start: float
    x_length: float
    x_shift: float
    y_start: float
    y_length: float
    y_shift: float
    most_shift: int
    width: int
    height: int
    outside: int

    @staticmethod
    def of(roots: tuple[Root, Root], bins: tuple[Bins, Bins], outside: int) -> KeyMaps:
        """The maps of an image's bins over an order of these roots."""
        starts = [float(root.start) * each.scale + each.shift for root, each in zip(roots, bins, strict=True)]
        lengths = [pixels_a_code(root, each) for root, each in zip(roots, bins, strict=True)]
        shift = _MOST_SHIFT
        while shift >= 0 and max(lengths) * (_STEPS << (shift // 2)) > _WIDEST:
            shift -= 2
        x, y = bins
        return KeyMaps(
            starts[0], lengths[0], x.shift, starts[1], lengths[1], y.shift, shift, x.size, y.size, outside
        )  # fmt: skip


def pixels_a_code(root: Root, bins: Bins) -> float:
    """How many pixels of an image a code of a root is long."""
    return float(power_of_two(root.exponent - 32)) * bins.scale


@jit
def place_by_keys(keys: Array, maps: KeyMaps, words: Array, out: Array, left: Array) -> int:
    """Write the cell of each of some keys in order to `out` (int32). Rows that their keys do not tell the cell of are
    outside there, and their indices go to `left` (int64), which has room for all: how many.

    `words` (uint32) is room for the rows that are taken at a time.
    """
    at, found = 0, 0
    while at < keys.size:
        stop, shift = _square_end(keys, at, min(at + words.size, keys.size), maps.most_shift)
        found = _place(keys, at, stop, shift, maps, words, out[at:stop], left, found)
        at = stop
    return found


@jit
def count_by_keys(
    keys: Array, lows: Array, highs: Array, maps: KeyMaps, words: Array, cells: Array, grid: Array, left: Array
) -> tuple[int, int, int]:  # fmt: skip
    """Count the rows of ranges of positions into a flat uint32 `grid`, which has a cell for rows outside.

    Positions of rows that their keys do not tell the cell of go to `left` (int64). `words` (uint32) and `cells` (int32)
    are room for the rows that are taken at a time, and `left` has more. Ends where that may be full: returns the range
    and the position to go on from, and how many are there.
    """
    found = 0
    for r in range(lows.size):
        at, high = lows[r], highs[r]
        while at < high:
            if left.size - found < words.size:
                return r, at, found
            stop, shift = _square_end(keys, at, min(at + words.size, high), maps.most_shift)
            found = _place(keys, at, stop, shift, maps, words, cells, left, found)
            _count(cells, stop - at, grid)
            at = stop
    return lows.size, 0, found


@jit
def _square_end(keys: Array, at: Any, stop: Any, most_shift: int) -> tuple[Any, int]:
    """Where the first square of some rows ends, and the bits of their keys below its steps."""
    first = keys[at]
    if most_shift < 0:
        return stop, 0
    if most_shift < 32:
        by = np.uint64(most_shift + 32)
        head = first >> by
        if keys[stop - 1] >> by != head:
            low = at
            while stop - low > 1:
                middle = (low + stop) >> 1
                if keys[middle] >> by == head:
                    low = middle
                else:
                    stop = middle
    differ = (first ^ keys[stop - 1]) >> np.uint64(32)
    shift = 0
    while differ >> np.uint64(shift) != 0:
        shift += 2
    return stop, shift


@jit
def _place(
    keys: Array, at: Any, stop: Any, shift: int, maps: KeyMaps, words: Array, out: Array, left: Array, found: int
) -> int:  # fmt: skip
    """Place the rows of a square; how many are in `left`."""
    rows, outside = stop - at, np.int32(maps.outside)
    head = keys[at] >> np.uint64(32) >> np.uint64(shift) << np.uint64(shift) << np.uint64(32)
    codes = np.float64(1 << (shift >> 1))
    x_known, left_pixel, x_start, x_step = _side(maps.x_start, maps.x_length, maps.x_shift, head, codes)
    y_known, bottom, y_start, y_step = _side(maps.y_start, maps.y_length, maps.y_shift, head >> np.uint64(1), codes)
    if maps.most_shift < 0 or not (x_known and y_known):
        for k in range(rows):
            out[k] = outside
            left[found + k] = at + k
        return int(found + rows)
    _shorten(keys, at, rows, shift, words)
    sides = np.float32(x_start), np.float32(x_step), np.float32(y_start), np.float32(y_step)
    _place_steps(words, rows, sides, left_pixel, bottom, maps.width, maps.height, maps.outside, out)
    for start in range(0, rows, _LOOK):
        end = min(start + _LOOK, rows)
        if _unknown(out, start, end):
            for k in range(start, end):
                if out[k] == np.int32(_UNKNOWN):
                    out[k] = outside
                    left[found] = at + k
                    found += 1
    return found


@jit
def _side(start: float, length: float, shift: float, head: np.uint64, codes: float) -> tuple[bool, int, float, float]:
    """One axis of a square in pixels: whether the image's map is fine enough for it, the first pixel, where in it the
    square begins, and how long a step is."""
    place = start + np.float64(np.int64(compact(head))) * length
    blur = (2.0 * abs(shift) + 2.0 * abs(place) + codes * _STEPS * length) * _ROUNDED
    if not (blur < _CLOSE / 4 and abs(place) < _FARTHEST):
        return False, 0, 0.0, 0.0
    first = math.floor(place)
    return True, first, place - first, length * codes


# Loops over rows are in functions of their own, without a branch and over unsigned positions, so that the compiler
# makes vectors of them.


@jit
def _shorten(keys: Array, at: int, rows: int, shift: int, out: Array) -> None:
    """32 bits of each key: vectors of 64 bits hold half as many rows."""
    by, first = np.uint64(shift), np.uint64(at)
    for k in range(np.uint64(rows)):
        out[k] = np.uint32(keys[first + k] >> by)


@jit
def _place_steps(
    words: Array, count: int, sides: tuple[Any, Any, Any, Any], left: int, bottom: int, width: int, height: int,
    outside: int, out: Array,
) -> None:  # fmt: skip
    """The cells of rows of one square, from pixel (`left`, `bottom`) on; the lowest int32 where a key does not tell.

    The bits of a word, which are of x and y in turn, are parted by four swaps (Warren, "Hacker's Delight", 7-2).
    """
    x_start, x_step, y_start, y_step = sides
    one, close = np.float32(1.0), np.float32(_CLOSE)
    x_most, y_most = one - x_step - close, one - y_step - close
    none, unknown = np.int32(outside), np.int32(_UNKNOWN)
    first_column, first_row = np.int32(left), np.int32(bottom)
    columns, rows = np.int32(width), np.int32(height)
    for k in range(np.uint64(count)):
        word = words[k]
        turn = np.uint32((word ^ (word >> np.uint32(1))) & np.uint32(0x22222222))
        word = np.uint32(word ^ turn ^ np.uint32(turn << np.uint32(1)))
        turn = np.uint32((word ^ (word >> np.uint32(2))) & np.uint32(0x0C0C0C0C))
        word = np.uint32(word ^ turn ^ np.uint32(turn << np.uint32(2)))
        turn = np.uint32((word ^ (word >> np.uint32(4))) & np.uint32(0x00F000F0))
        word = np.uint32(word ^ turn ^ np.uint32(turn << np.uint32(4)))
        turn = np.uint32((word ^ (word >> np.uint32(8))) & np.uint32(0x0000FF00))
        word = np.uint32(word ^ turn ^ np.uint32(turn << np.uint32(8)))
        across = np.float32(np.int32(word & np.uint32(0xFFFF))) * x_step + x_start
        up = np.float32(np.int32(word >> np.uint32(16))) * y_step + y_start
        column, row = np.int32(across), np.int32(up)
        in_column, in_row = across - np.float32(column), up - np.float32(row)
        known = (in_column >= close) & (in_column <= x_most) & (in_row >= close) & (in_row <= y_most)
        column, row = np.int32(column + first_column), np.int32(row + first_row)
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        cell = np.int32(row * columns + column) if inside else none
        out[k] = cell if known else unknown


@jit
def _unknown(cells: Array, start: int, stop: int) -> bool:
    """Whether some row has no cell yet."""
    count, first = np.int32(0), np.uint64(start)
    for k in range(np.uint64(stop - start)):
        count += np.int32(cells[first + k] == np.int32(_UNKNOWN))
    return bool(count > 0)


@jit
def _count(cells: Array, rows: int, grid: Array) -> None:
    """Count rows, by turns from the first half and from the other: an addition need not wait for one to the same cell
    just before it."""
    half = np.uint64(rows >> 1)
    for k in range(half):
        grid[np.uint32(cells[k])] += np.uint32(1)
        grid[np.uint32(cells[half + k])] += np.uint32(1)
    if rows & 1:
        grid[np.uint32(cells[rows - 1])] += np.uint32(1)
