"""Making all planes of a pyramid in the background, in one pass over the ordered rows: square by square."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np

from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.pyramid.apart import Apart, AxisStrip
from bigviz.tiles.pyramid.levels.summary import level_values, takes_long
from bigviz.tiles.pyramid.pyramid import Pyramid, Work

__all__ = ["complete"]

_STAGE: Final = "building tiles"
_PARTS: Final = 16  # pieces of work for each thread, so that all end at about the same time
_TILES: Final = 0.95  # share of the time until the values of each level are summed up
_BELOW: Final = 0.8  # share of the time that the parts take
_BEGUN: Final = 0.1  # share of the time of the squares above them until their strips are small


def complete(pyramid: Pyramid, crew: Crew, turns: Turns | None = None, levels: bool = True) -> None:
    """Make all planes that a pyramid lacks; what is kept already is not made again, so an interrupted build goes on.
    Ends where the shelf is full: what is not kept is made on request. Then the values of each level are found, unless
    others than these rows lie in its cells (`levels`).

    Pauses while requests run (`turns`). Raises Cancelled, Unreadable, and OSError of a shelf on a disk.
    """
    waiting = turns or Turns()
    work = Work(lambda: waiting.give_way(crew.cancel), crew.cancel)
    rows = len(pyramid.guard)
    tiles = _Build(pyramid, work, crew.within(_STAGE, 0.0, _TILES, rows))
    whole = rows <= pyramid.inputs.many or tiles.run(_Square(TileKey(0, 0, 0, 0), 0, rows))
    if levels and pyramid.shelf.levels is None and not takes_long(pyramid.inputs, rows):
        last = replace(crew.within(_STAGE, _TILES, 1.0, rows), turns=waiting)
        pyramid.shelf.put_levels(level_values(pyramid.guard, pyramid.inputs, last))
    if whole:
        pyramid.shelf.finish()


class _Build:
    """Makes squares of about equal numbers of rows, each with all tiles in it on one thread, then those above them, the
    finest first."""

    def __init__(self, pyramid: Pyramid, work: Work, crew: Crew) -> None:
        self._pyramid, self._work, self._crew = pyramid, work, crew
        self._whole = True

    def run(self, root: _Square) -> bool:
        """Make all tiles; whether all that are worth keeping are there, or the shelf is full."""
        share = max(root.rows // (_PARTS * self._crew.threads), self._pyramid.inputs.many)
        tops, parts = _divide(self._pyramid, root, share)
        below = _BELOW if tops else 1.0
        parts.sort(key=lambda each: -each.rows)
        self._crew.within(_STAGE, 0.0, below, root.rows).run(_STAGE, self._make_part, parts, _rows(parts))
        tops.sort(key=lambda each: -each.tile.zx)
        done, most = 0, _rows(tops)
        for _, group in groupby(tops, lambda each: each.tile.zx):
            level = list(group)
            start, done = done, done + _rows(level)
            begins, ends = (below + (1.0 - below) * rows / most for rows in (start, done))
            self._make_tops(level, share, self._crew.within(_STAGE, begins, ends, root.rows))
        return self._whole

    def _make_part(self, square: _Square) -> int:
        """Make a square, and all tiles in it."""
        for each in _below(self._pyramid, square):
            self._ensure(each)
        apart = Apart(self._pyramid, square.tile, square.low, square.high)
        for slim in apart.make_large(square.rows, self._work):
            apart.make(slim, self._work)
        self._note(apart)
        return square.rows

    def _make_tops(self, squares: list[_Square], share: int, crew: Crew) -> None:
        """Make squares of one level all of whose quarters are made, and what of their tiles these do not hold."""
        slims: list[tuple[Apart, AxisStrip]] = []

        def begin(square: _Square) -> int:
            self._ensure(square)
            apart = Apart(self._pyramid, square.tile, square.low, square.high)
            slims.extend((apart, slim) for slim in apart.make_large(share, self._work))
            self._note(apart)
            return square.rows

        def make(pair: tuple[Apart, AxisStrip]) -> int:
            apart, slim = pair
            apart.make(slim, self._work)
            self._note(apart)
            return slim.strip.rows

        crew.within(_STAGE, 0.0, _BEGUN, 0).run(_STAGE, begin, squares, _rows(squares))
        slims.sort(key=lambda pair: -pair[1].strip.rows)
        rows = sum(slim.strip.rows for _, slim in slims)
        crew.within(_STAGE, _BEGUN, 1.0, 0).run(_STAGE, make, slims, rows)

    def _note(self, apart: Apart) -> None:
        if not apart.whole:
            self._whole = False

    def _ensure(self, square: _Square) -> None:
        pyramid = self._pyramid
        if pyramid.shelf.full or not pyramid.is_large(square.tile, square.low, square.high):
            return
        if pyramid.kept(square.tile) is None:
            pyramid.make(square.tile, self._work)


@dataclass(frozen=True)
class _Square:
    """A square tile and its rows."""

    tile: TileKey
    low: int
    high: int

    @property
    def rows(self) -> int:
        return self.high - self.low


def _rows(squares: list[_Square]) -> int:
    return sum(square.rows for square in squares)


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
