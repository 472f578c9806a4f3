"""Building the tiles whose axes are at different levels, each from its two halves on the coarser axis.

All those in a square that are not coarser than it lie in its strips (`strips.Strip`): tiles that are as coarse as the
square on one axis and finer on the other. A strip is added from its halves on the coarser axis, these from theirs, and
so on down to squares, of which those of many rows are kept already; half a tile of few rows is counted. Tiles beyond a
number are left to be made on request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bigviz.aggregate.reductions.base import Planes
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import Ranges
from bigviz.tiles.pyramid.pyramid import Pyramid, Work
from bigviz.tiles.pyramid.strips import Strip, halves

__all__ = ["Apart", "AxisStrip"]

_MOST: Final = 128  # tiles for each `many_apart` rows of the square, of which 10^8 rows at one y make 20


@dataclass(frozen=True, slots=True)
class AxisStrip:
    """A strip of many rows, and the axis on which it is finer: x (`along_x`) or y."""

    strip: Strip
    along_x: bool


class Apart:
    """The tiles of a square whose axes are at different levels, none coarser than the square's."""

    def __init__(self, pyramid: Pyramid, tile: TileKey, low: int, high: int) -> None:
        """The square holds the rows `low` to `high`; those in it are made already."""
        self._pyramid = pyramid
        self._square = Strip.square(tile, low, high)
        self._left = _MOST * max(self._square.rows // pyramid.inputs.many_apart, 1)

    @property
    def whole(self) -> bool:
        """Whether all were made so far that are worth keeping."""
        return self._left > 0

    def make_large(self, share: int, work: Work) -> list[AxisStrip]:
        """Make the strips of more than `share` rows, where all tiles within the square's quarters are made; returns the
        largest ones of at most so many, which are left to `make`."""
        waiting, small = [AxisStrip(self._square, True), AxisStrip(self._square, False)], []
        while waiting:
            for slim in self._halves(waiting.pop(), work):
                if slim.strip.rows <= share:
                    small.append(slim)
                else:
                    self._make_strip(slim, work)
                    waiting.append(slim)
        return small

    def make(self, slim: AxisStrip, work: Work) -> None:
        """Make all tiles that lie in a strip."""
        waiting = [slim]
        while waiting:
            each = waiting.pop()
            self._make_strip(each, work)
            waiting.extend(self._halves(each, work))

    def _halves(self, slim: AxisStrip, work: Work) -> Iterator[AxisStrip]:
        """The halves of a strip that may hold tiles to keep."""
        if self._pyramid.shelf.full or not self.whole:
            return
        work.look()
        for half in halves(self._pyramid.guard, slim.strip, slim.along_x):
            if half.rows > self._pyramid.inputs.many_apart:
                ranges = half.ranges(0, len(half.squares))
                if not self._pyramid.few_spots(ranges.low, ranges.high):
                    yield AxisStrip(half, slim.along_x)

    def _make_strip(self, slim: AxisStrip, work: Work) -> None:
        strip = slim.strip
        if not self._pyramid.shelf.full and self.whole and self._pyramid.kept(strip.tile) is None:
            self._make(strip, slim.along_x, strip.tile, 0, len(strip.squares), work)

    def _make(self, strip: Strip, along_x: bool, tile: TileKey, first: int, end: int, work: Work) -> Planes | None:
        """Make a tile of many rows that lies in a strip and is not kept so far, of the ranges `first` to `end`; None
        if it is not large, whatever its rows."""
        self._left -= 1
        if not self._pyramid.is_large_apart(tile, strip.ranges(first, end)):
            return None
        parts: list[Planes | Ranges] = []
        upper = tile.half(not along_x, True)
        cut = strip.cut(upper, first, end)
        for half, start, stop in ((tile.half(not along_x, False), first, cut), (upper, cut, end)):
            made = self._half(strip, along_x, half, start, stop, work)
            parts.append(made if isinstance(made, Ranges) else self._pyramid.pooled(made, not along_x, work))
        return self._pyramid.join(tile, parts, work)

    def _half(self, strip: Strip, along_x: bool, tile: TileKey, first: int, end: int, work: Work) -> Planes | Ranges:
        """The accumulators of a tile that lies in a strip, if it is large, else its ranges of rows."""
        if tile.zx == tile.zy:
            return self._pyramid.half(tile, work)
        if strip.rows_of(first, end) > self._pyramid.inputs.many_apart:
            made = self._pyramid.revived(tile, work)
            made = self._make(strip, along_x, tile, first, end, work) if made is None else made
            if made is not None:
                return made
        return strip.ranges(first, end)
