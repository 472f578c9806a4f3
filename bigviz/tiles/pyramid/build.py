"""Making all planes of a pyramid in the background: square tiles in one pass over the ordered rows, then the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.packed_rtree import touched
from bigviz.tiles.morton.quadtree import LEAF
from bigviz.tiles.morton.sorted_keys import Fenced, Guard, lower_bound
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.plane_store import Shelf
from bigviz.tiles.pyramid.pyramid import Pyramid, Work

__all__ = ["build_pyramid", "complete"]

Array = npt.NDArray[Any]

_STAGE: Final = "building tiles"
_PARTS: Final = 16  # pieces of work for each thread, so that all end at about the same time
_SQUARES: Final = 0.7  # share of the time that the square tiles take
_MOST_APART: Final = 128  # tiles with axes at different levels, for each of the smallest that fits into all rows:
# 10^8 rows at one y make 20; further ones are made on request


def build_pyramid(guard: Guard, inputs: Inputs, crew: Crew, shelf: Shelf | None = None) -> Pyramid:
    """A complete pyramid, made on all threads."""
    pyramid = Pyramid(guard, inputs, shelf)
    complete(pyramid, crew)
    return pyramid


def complete(pyramid: Pyramid, crew: Crew, turns: Turns | None = None) -> None:
    """Make all planes that a pyramid lacks; what is kept already is not made again, so an interrupted build goes on.
    Ends where the shelf is full: what is not kept is made on request.

    Pauses while requests run (`turns`). Raises Cancelled, Unreadable, and OSError of a shelf on a disk.
    """
    waiting = turns or Turns()
    work = Work(lambda: waiting.give_way(crew.cancel), crew.cancel)
    rows, inputs = len(pyramid.guard), pyramid.inputs
    root = _Square(TileKey(0, 0, 0, 0), 0, rows)
    if rows > inputs.many:
        _make_squares(pyramid, root, work, crew.within(_STAGE, 0.0, _SQUARES, rows))
    most = 0 if pyramid.shelf.full else _MOST_APART * (rows // inputs.many_apart)
    planned = list(islice(_tiles_apart(pyramid, root, work), most)) if most else []
    _make_apart(pyramid, planned, work, crew.within(_STAGE, _SQUARES, 1.0, rows))
    if len(planned) < max(most, 1):
        pyramid.shelf.finish()


def _make_squares(pyramid: Pyramid, root: _Square, work: Work, crew: Crew) -> None:
    share = max(root.rows // (_PARTS * crew.threads), pyramid.inputs.many)
    tops, parts = _divide(pyramid, root, share)

    def make(square: _Square) -> int:
        for each in _below(pyramid, square):
            if pyramid.shelf.full:
                break
            _ensure(pyramid, each, work)
        return square.rows

    crew.run(_STAGE, make, sorted(parts, key=lambda each: -each.rows), root.rows)
    for square in reversed(tops):
        if not pyramid.shelf.full:
            _ensure(pyramid, square, work)


def _make_apart(pyramid: Pyramid, planned: list[TileKey], work: Work, crew: Crew) -> None:
    """Make tiles whose axes are at different levels: each of tiles whose levels differ by one less, those first."""

    def make(tile: TileKey) -> int:
        if not pyramid.shelf.full and pyramid.kept(tile) is None:
            pyramid.make(tile, Work(work.look, work.cancel))
        return 1

    def apart(tile: TileKey) -> int:
        return abs(tile.zx - tile.zy)

    done = 0
    for _, group in groupby(sorted(planned, key=apart), apart):
        tiles = list(group)
        start, done = done, done + len(tiles)
        step = crew.within(_STAGE, start / len(planned), done / len(planned), len(pyramid.guard))
        step.run(_STAGE, make, tiles, len(tiles))


@dataclass(frozen=True)
class _Square:
    """A square tile and its rows."""

    tile: TileKey
    low: int
    high: int

    @property
    def rows(self) -> int:
        return self.high - self.low


def _children(pyramid: Pyramid, square: _Square) -> list[_Square]:
    """The quarters that may hold tiles to keep."""
    if square.tile.zx == DEEPEST or pyramid.few_spots(np.array([square.low]), np.array([square.high])):
        return []
    cuts = pyramid.cuts(square.tile, square.low, square.high)
    quarters = [_Square(square.tile.quarter(q), cuts[q], cuts[q + 1]) for q in range(4)]
    return [quarter for quarter in quarters if quarter.rows > pyramid.inputs.many]


def _divide(pyramid: Pyramid, root: _Square, share: int) -> tuple[list[_Square], list[_Square]]:
    """The squares above `share` rows, parents first, and the largest ones at or below it."""
    tops, parts, waiting = [], [], [root]
    while waiting:
        square = waiting.pop()
        children = [] if square.rows <= share else _children(pyramid, square)
        if children:
            tops.append(square)
            waiting.extend(children)
        else:
            parts.append(square)
    return tops, parts


def _below(pyramid: Pyramid, square: _Square) -> Iterator[_Square]:
    """A square and all below it that may be worth keeping, parents first: making a parent makes its children."""
    waiting = [square]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(_children(pyramid, each))


def _ensure(pyramid: Pyramid, square: _Square, work: Work) -> None:
    if pyramid.is_large(square.tile, square.low, square.high) and pyramid.kept(square.tile) is None:
        pyramid.make(square.tile, Work(work.look, work.cancel))


@dataclass(frozen=True)
class _Strip:
    """A tile as the squares of its finer level (`first` is a square's first key), those of few rows as they were: the
    ranges of rows that `ranges_within` finds for it."""

    tile: TileKey
    low: Array
    high: Array
    first: Array


def _tiles_apart(pyramid: Pyramid, root: _Square, work: Work) -> Iterator[TileKey]:
    """The tiles with axes at different levels that may be kept: all of whose ranges hold many rows, their own or not.

    They are found by halving squares on one axis again and again.
    """
    most = pyramid.inputs.many_apart
    waiting = [root]
    while waiting:
        square = waiting.pop()
        waiting.extend(child for child in _children(pyramid, square) if child.rows > most)
        first = np.array([square.tile.morton << 64 - 2 * square.tile.zx if square.tile.zx else 0], np.uint64)
        whole = _Strip(square.tile, np.array([square.low]), np.array([square.high]), first)
        for along_x in (True, False):
            strips = [whole]
            while strips:
                work.look()
                for half in _halves(pyramid.guard, strips.pop(), along_x):
                    rows = int((half.high - half.low).sum())
                    if rows <= most or pyramid.few_spots(half.low, half.high):
                        continue
                    yield half.tile
                    strips.append(half)


def _halves(guard: Guard, strip: _Strip, along_x: bool) -> list[_Strip]:
    level = max(strip.tile.zx, strip.tile.zy)
    if level == DEEPEST:
        return []
    size = 2 * len(strip.low)
    out = [(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.uint64)) for _ in (0, 1)]
    axis = 0 if along_x else 1
    arrays = (frozen(strip.low), frozen(strip.high), frozen(strip.first))
    tiles = [strip.tile.half(along_x, upper) for upper in (False, True)]
    bounds = np.array([tile.codes for tile in tiles], np.int64)
    counts = _split(guard.fenced, *arrays, level, axis, bounds, *out[0], *out[1])
    guard.keys.check()
    halves = []
    for tile, count, arrays in zip(tiles, counts, out, strict=True):
        low, high, first = (each[:count] for each in arrays)
        halves.append(_Strip(tile, low, high, first))
    return halves


@jit
def _split(
    fenced: Fenced,
    lows: Array,
    highs: Array,
    firsts: Array,
    level: int,
    axis: int,
    bounds: Array,
    low0: Array,
    high0: Array,
    first0: Array,
    low1: Array,
    high1: Array,
    first1: Array,
) -> tuple[int, int]:
    """Divide squares of a level into quarters and deal these to the lower and the upper half of an axis (0 x, 1 y).
    Squares of few rows go whole to each half (`bounds`: first and last codes on x and y) that their boxes meet."""
    zero = 0
    one = 0
    step = np.uint64(62 - 2 * level)
    for k in range(lows.size):
        low = lows[k]
        high = highs[k]
        if high - low <= LEAF:
            if touched(fenced.boxes, low, high, bounds[0, 0], bounds[0, 1], bounds[0, 2], bounds[0, 3]):
                low0[zero], high0[zero], first0[zero] = low, high, firsts[k]
                zero += 1
            if touched(fenced.boxes, low, high, bounds[1, 0], bounds[1, 1], bounds[1, 2], bounds[1, 3]):
                low1[one], high1[one], first1[one] = low, high, firsts[k]
                one += 1
            continue
        start = low
        for quarter in range(4):
            key = firsts[k] + (np.uint64(quarter) << step)
            end = lower_bound(fenced, start, high, key + (np.uint64(1) << step)) if quarter < 3 else high
            if end > start:
                if quarter >> axis & 1 == 0:
                    low0[zero], high0[zero], first0[zero] = start, end, key
                    zero += 1
                else:
                    low1[one], high1[one], first1[one] = start, end, key
                    one += 1
            start = end
    return zero, one
