"""The cells of an image in which consecutive rows of an order lie, told by their keys where these are enough.

Some ten thousand rows in Morton order lie in one square, whose side is a hundred pixels or so. Within it 32 bits of a
key are 65,536 steps on each axis, far finer than a pixel, and a vector of eight rows is placed by float32. A step that
crosses the border of a pixel, or comes close to one, says nothing of a row: such rows, a few in a thousand, are placed
by their numbers.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.place_points import Places
from bigviz.common.jit import frozen, jit
from bigviz.tiles.answers.ordered.pixel_nodes import Nodes, place_nodes
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.morton.order import Order

__all__ = ["PlacedRows"]

Array = npt.NDArray[Any]
Cells = npt.NDArray[np.int32]

_STEPS: Final = 1 << 16  # on each axis of a square
_WIDEST: Final = 128.0  # pixels of a square: a step is at most 1/512 of one
_CLOSE: Final = 2.0**-13  # of a pixel: what float32 may be off in a square, and more
_ROUNDED: Final = 2.0**-50  # of a place and of what it is the difference of: what both maps may be off
_FARTHEST: Final = float(1 << 30)  # pixels: cells are int32
_FEW: Final = 1 << 10  # rows that are placed by their numbers as soon as by a square of their own
_UNKNOWN: Final = np.iinfo(np.int32).min


class _Side(NamedTuple):
    """One axis of a square in pixels: the first one, where in it the square begins, and how long a step is."""

    first: int
    start: float
    step: float


class _Map(NamedTuple):
    """One axis of an image: the pixel of code 0, and how many pixels a code is long. `blur` is how far, in pixels, that
    may be off the image's own map, which rounds numbers as large as `shift`."""

    start: float
    length: float
    shift: float

    @staticmethod
    def of(root: Root, bins: Bins) -> _Map:
        start = float(root.start) * bins.scale + bins.shift
        return _Map(start, float(power_of_two(root.exponent - 32)) * bins.scale, bins.shift)

    def side(self, code: int, codes: int) -> _Side | None:
        """The steps of `codes` codes from a code on; None where the image's map is too coarse for them."""
        place = self.start + code * self.length
        blur = (2 * abs(self.shift) + 2 * abs(place) + codes * _STEPS * self.length) * _ROUNDED
        if not (blur < _CLOSE / 4 and abs(place) < _FARTHEST):
            return None
        first = math.floor(place)
        return _Side(first, place - first, self.length * codes)


class PlacedRows:
    """Rows of an order, and the image they are placed in; for one thread."""

    def __init__(self, order: Order, places: Places, most: int, nodes: Nodes | None = None) -> None:
        """At most `most` rows are placed at a time, in memory that is used again for the next ones; by the `nodes` of
        the image, where its squares hold many rows each."""
        self.order, self.places = order, places
        self._nodes = None if nodes is None else nodes.with_outside(places.outside)
        self._left = np.empty(0 if nodes is None else most, np.int64)
        self._maps = _Map.of(order.survey.x, places.x), _Map.of(order.survey.y, places.y)
        self._cells, self._words = np.empty(most, np.int32), np.empty(most, np.uint32)

    def by_keys(self, start: int, stop: int) -> tuple[Cells, Array]:
        """The cell of each row of a range of positions, as `places` has them, and the positions (int64) of the rows
        that are placed by their numbers alone: their cells are `outside` here. They are good until the next call."""
        out = self._cells[: stop - start]
        keys = frozen(self.order.guard.keys.take(slice(start, stop)))
        if self._nodes is not None:
            count = place_nodes(keys, *self._nodes, out, self._left)
            return out, self._left[:count] + start
        unknown: list[Array] = []
        todo = [(0, stop - start)]
        while todo:
            low, high = todo.pop()
            if low == high:
                continue
            first, last = int(keys[low]), int(keys[high - 1])
            bits = (first ^ last).bit_length()
            shift = max(bits - 32, 0) + (max(bits - 32, 0) & 1)
            wide = max(axis.length for axis in self._maps) * (_STEPS << (shift // 2)) > _WIDEST
            square = None if wide or high - low < _FEW else self._square(first, shift)
            if square is not None:
                unknown.append(self._place(keys[low:high], shift, square, out[low:high]) + (start + low))
            elif wide and shift and high - low >= _FEW:
                edge = np.uint64(last >> (bits - 1) << (bits - 1))
                middle = low + int(np.searchsorted(keys[low:high], edge))
                todo += [(low, middle), (middle, high)]
            else:
                out[low:high] = self.places.outside
                unknown.append(np.arange(start + low, start + high))
        return out, np.concatenate([np.empty(0, np.int64), *unknown])

    def by_numbers(self, positions: Array) -> Cells:
        """The cell of each of some positions."""
        out = np.empty(len(positions), np.int32)
        numbers = [self.order.numbers(which, positions) for which in (0, 1)]
        self.places.write((numbers[0], None), (numbers[1], None), out)
        return out

    def _place(self, keys: Array, shift: int, square: tuple[_Side, _Side], out: Cells) -> npt.NDArray[np.int64]:
        """Place the rows of a square; which of them are placed by their numbers alone."""
        x, y = square
        places = self.places
        sides = np.array([x.start, x.step, y.start, y.step, _CLOSE], np.float32)
        words = self._words[: len(keys)]
        _shorten(keys, shift, words)
        _place_steps(frozen(words), sides, x.first, y.first, places.x.size, places.y.size, places.outside, out)
        unknown = np.flatnonzero(out == _UNKNOWN)
        out[unknown] = places.outside
        return unknown

    def _square(self, key: int, shift: int) -> tuple[_Side, _Side] | None:
        """The square of a key, of steps of 2^(shift / 2) codes; None where the image's map is too coarse for it."""
        head = key >> (shift + 32) << (shift + 32)
        x, y = (
            each.side(int(compact(np.uint64(head >> which))), 1 << (shift // 2))
            for which, each in enumerate(self._maps)
        )
        return None if x is None or y is None else (x, y)


@jit
def _shorten(keys: Array, shift: int, out: Array) -> None:
    """32 bits of each key. In a loop of its own, because vectors of 64 bits hold half as many rows."""
    by = np.uint64(shift)
    for k in range(keys.size):
        out[k] = np.uint32(keys[k] >> by)


@jit
def _place_steps(
    words: Array, sides: Array, left: int, bottom: int, width: int, height: int, outside: int, out: Array
) -> None:
    """The cells of rows of one square, from pixel (`left`, `bottom`) on; the lowest int32 where a key does not tell.

    The bits of a word, which are of x and y in turn, are parted by four swaps (Warren, "Hacker's Delight", 7-2).
    """
    x_start, x_step, y_start, y_step, close = sides[0], sides[1], sides[2], sides[3], sides[4]
    one = np.float32(1.0)
    x_most, y_most = one - x_step - close, one - y_step - close
    none, unknown = np.int32(outside), np.int32(-2147483648)
    first_column, first_row = np.int32(left), np.int32(bottom)
    columns, rows = np.int32(width), np.int32(height)
    for k in range(words.size):
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
