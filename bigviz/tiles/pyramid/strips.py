"""Tiles that are finer on one axis, as ranges of rows: found once, from the top down.

A strip is a tile of a square's level on one axis and of finer ones on the other. Its ranges are those of the strip that
it is half of, divided, and the tiles within it that are finer on the other axis, too, are stretches of its ranges: so
the quadtree is descended once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.packed_rtree import enclosed
from bigviz.tiles.morton.quadtree import LEAF, LONG, STACK, Ranges, descend
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, lower_bound

__all__ = ["Strip", "halves"]

Array = npt.NDArray[Any]

_LOW, _HIGH, _LEVEL = 0, 1, 2  # what the stack of a descent holds of a square; its first key is 3
_ALONE: Final[Any] = np.int64(1)  # a square on the stack; of a literal numba would compile a descent once more
_LEAF: Final[Any] = np.int64(LEAF)  # the same
_ROOM: Final = LONG + 1  # ranges that one of a strip, of few rows, may be divided into


@dataclass(frozen=True, slots=True)
class Strip:
    """A tile and the ranges that `ranges_within` finds for it, ascending: `squares` (int64, shape (ranges, 4)) holds
    the first and the end row of each, its square's level and that square's first key (as int64 bits). `ends` (int64)
    holds the rows before each range, and all rows."""

    tile: TileKey
    squares: Array
    ends: Array

    @staticmethod
    def of(tile: TileKey, squares: Array) -> Strip:
        """A strip of these ranges."""
        ends = np.zeros(len(squares) + 1, np.int64)
        np.cumsum(squares[:, _HIGH] - squares[:, _LOW], out=ends[1:])
        return Strip(tile, squares, ends)

    @staticmethod
    def square(tile: TileKey, low: int, high: int) -> Strip:
        """A square tile of the rows `low` to `high`, at least one."""
        first = tile.keys[0]
        return Strip.of(tile, np.array([[low, high, tile.zx, first - (first >> 63 << 64)]], np.int64))

    @property
    def rows(self) -> int:
        """Rows in all ranges."""
        return int(self.ends[-1])

    @property
    def level(self) -> int:
        """The finer level."""
        return max(self.tile.zx, self.tile.zy)

    def rows_of(self, first: int, end: int) -> int:
        """Rows in some of the ranges."""
        return int(self.ends[end] - self.ends[first])

    def ranges(self, first: int, end: int) -> Ranges:
        """Some of the ranges."""
        part = self.squares[first:end]
        return Ranges(part[:, _LOW].copy(), part[:, _HIGH].copy(), part[:, _LEVEL] == self.level)

    def cut(self, upper: TileKey, first: int, end: int) -> int:
        """The first of some ranges that lies in the upper half of a tile of the strip on the coarser axis, if no range
        lies in both.

        The squares of both halves that hold the strip follow each other in Morton order.
        """
        level = min(upper.zx, upper.zy)
        finer = self.level - level
        i, row = (upper.i >> finer, upper.row) if upper.zx > upper.zy else (upper.i, upper.row >> finer)
        key = TileKey(level, level, i, (1 << level) - 1 - row).keys[0]
        return int(_cut(frozen(self.squares), first, end, np.uint64(key)))


def halves(guard: SortedKeys, strip: Strip, along_x: bool) -> list[Strip]:
    """The lower and the upper half of a strip on its finer axis, or of a square on either; none at the last level.
    Raises Unreadable for damaged keys."""
    if strip.level == DEEPEST:
        return []
    tiles = [strip.tile.half(along_x, upper) for upper in (False, True)]
    bounds = np.array([[tile.codes, tile.codes] for tile in tiles], np.int64)
    squares = frozen(strip.squares)
    room = 2 * len(squares) + _ROOM
    lower, upper = np.empty((room, 4), np.int64), np.empty((room, 4), np.int64)
    stack, part, whole = np.empty((STACK, 4), np.int64), np.empty((_ROOM, 4), np.int64), np.empty(_ROOM, np.bool_)
    found, at = np.zeros(2, np.int64), 0
    while True:
        axis = 0 if along_x else 1
        at = _divide(guard.fenced, squares, at, strip.level, axis, bounds, stack, part, whole, lower, upper, found)
        guard.keys.check()
        if at == len(squares):
            break
        lower, upper = (np.concatenate([each, np.empty_like(each)]) for each in (lower, upper))
    return [Strip.of(tile, each[:n].copy()) for tile, each, n in zip(tiles, (lower, upper), found, strict=True)]


@jit
def _cut(squares: Array, first: int, end: int, key: np.uint64) -> int:
    while first < end:
        middle = (first + end) >> 1
        if np.uint64(squares[middle, 3]) < key:
            first = middle + 1
        else:
            end = middle
    return first


@jit
def _divide(
    fenced: Fenced,
    squares: Array,
    at: int,
    level: int,
    axis: int,
    bounds: Array,
    stack: Array,
    part: Array,
    whole: Array,
    lower: Array,
    upper: Array,
    found: Array,
) -> int:
    """Deal the squares of a strip, from number `at` on, to its halves on an axis (0 x, 1 y): those that are the next
    one's first where there is no room left, else their number.

    A square of the strip's level (`level`) is divided into quarters, of which each half gets two. Of a larger one a
    half gets what a descent finds. `bounds` holds the rectangle of each half, twice.
    """
    cuts = np.empty(5, np.int64)
    while at < squares.shape[0] and max(found[0], found[1]) + LONG <= lower.shape[0]:
        low, high, first = squares[at, 0], squares[at, 1], np.uint64(squares[at, 3])
        divided = squares[at, 2] == level and high - low > LEAF
        if divided:
            _quarter(fenced, low, high, first, level, cuts)
        for half in range(2):
            out = lower if half == 0 else upper
            if divided and not _lies_in(fenced, low, high, bounds[half, 0]):
                for other in range(2):
                    quarter = 2 * other + half if axis == 0 else 2 * half + other
                    if cuts[quarter] < cuts[quarter + 1]:
                        key = first + (np.uint64(quarter) << np.uint64(62 - 2 * level))
                        _put(out, found, half, cuts[quarter], cuts[quarter + 1], level + 1, np.int64(key))
                continue
            stack[0] = squares[at]
            count, _ = descend(fenced, bounds[half], stack, _ALONE, part, whole, _LEAF)
            for k in range(count):
                _put(out, found, half, part[k, 0], part[k, 1], part[k, 2], part[k, 3])
        at += 1
    return at


@jit
def _quarter(fenced: Fenced, low: int, high: int, first: np.uint64, level: int, cuts: Array) -> None:
    """The rows that separate the quarters of a square, its ends included."""
    cuts[0] = low
    cuts[4] = high
    step = np.uint64(62 - 2 * level)
    for quarter in range(1, 4):
        cuts[quarter] = lower_bound(fenced, cuts[quarter - 1], high, first + (np.uint64(quarter) << step))


@jit
def _lies_in(fenced: Fenced, low: int, high: int, bounds: Array) -> bool:
    """Whether a descent leaves a square of many rows whole, because they lie on a line inside the rectangle."""
    return high - low <= LONG and enclosed(fenced.boxes, low, high, bounds[0], bounds[1], bounds[2], bounds[3])


@jit
def _put(out: Array, found: Array, half: int, low: int, high: int, level: int, first: np.int64) -> None:
    at = found[half]
    out[at, 0], out[at, 1], out[at, 2], out[at, 3] = low, high, level, first
    found[half] = at + 1
