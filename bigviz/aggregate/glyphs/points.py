"""An image of points: each row falls in one cell.

Rows are shared among threads in consecutive parts, each with a grid of its own. In a part, blocks of 4,096 rows are
placed by vectors without a branch, with datashader's affine map, and added while their cells are in the first cache;
counts take a byte a cell, and the rare cells whose byte comes round are written down. Where grids are larger than
caches, or where cells outnumber rows, rows are sorted by bands of cells instead: see `bands`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

import numpy as np

from bigviz.aggregate.glyphs.bands import banded_planes
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.image_parts import is_banded, part_count
from bigviz.aggregate.glyphs.place_points import Places
from bigviz.aggregate.glyphs.point_reader import PointReader, PointRows
from bigviz.aggregate.glyphs.point_tally import PointTally
from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.aggregate.reductions.sums import Sum
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew, slices

__all__ = ["PointRows", "PointsImage"]

_BLOCK: Final = 1 << 15  # rows whose cells are written at a time: they stay in a core's cache until they are added
_CELLS: Final = 1 << 16  # cells that are combined at a time


@dataclass(frozen=True)
class PointsImage:
    """An image of points: its sides, and what its cells hold.

    A row falls in the cell of its x and y: each window is closed at both ends. Rows outside it and rows whose x or y is
    null or NaN are skipped. Images have the shape (rows, columns), row 0 the lowest y; `by` puts categories first.
    """

    x: Bins
    y: Bins
    reduction: Reduction

    def grid(self, rows: PointRows, cancel: Cancel = NEVER, threads: int = 1) -> Grid:
        """The image of some rows: see `planes`."""
        return self.reduction.finish(self.planes(rows, cancel, threads))

    def planes(self, rows: PointRows, cancel: Cancel = NEVER, threads: int = 1) -> Planes:
        """The planes of an image of some rows.

        Floats are added in the same parts, or by the same bands, whatever the number of threads, so their sums are the
        same bits; the error is at most 1e-12 of the sum of |v|. Raises Cancelled between slices of rows.
        """
        cells = self.x.size * self.y.size * max(rows.inputs.categories, 1)
        reader = PointReader(self.x, self.y, self.reduction, rows)
        if is_banded(len(rows), cells, self.reduction, threads):
            planes = banded_planes(reader, Crew(threads, cancel=cancel))
        else:
            count = part_count(len(rows), cells, self.reduction, threads)
            planes = _in_parts(reader, count, Crew(min(threads, count), cancel=cancel))
        if self.restarted(planes):
            inputs = rows.inputs
            planes = self.reduction.create((self.y.size, self.x.size), inputs.dtype, inputs.categories, cancel.check)
            self.add(planes, rows, cancel)
            return planes
        if self.reduction.category is None:
            return planes
        return tuple(np.moveaxis(each, -1, 0) for each in planes)

    def restarted(self, planes: Planes) -> bool:
        """Whether sums may have begun again after a NaN: these depend on the order of rows, and not in their last bits
        alone, so that rows have to be added one by one."""
        plane = self.reduction.plane
        return isinstance(plane, Sum) and plane.restarts and not np.isfinite(planes[0]).all()

    def add(self, planes: Planes, rows: PointRows, cancel: Cancel) -> None:
        """Add a batch of rows to the planes of an image, in their order."""
        cells = np.empty(min(_BLOCK, len(rows)), np.int32)
        places = Places(self.x, self.y, -1)
        for start, stop in slices(len(rows), _BLOCK):
            cancel.check()
            part = cells[: stop - start]
            places.write(rows.x.slice(start, stop), rows.y.slice(start, stop), part)
            self.reduction.append(planes, part, rows.inputs.rows(start, stop, self.reduction.ordered))


def _in_parts(reader: PointReader, count: int, crew: Crew) -> Planes:
    """The planes of all rows, which `count` tallies take and which are combined: those of counts take whichever rows
    are next, so that no thread waits for another, and others consecutive parts, as their order shows in the result."""
    rows, plane = len(reader.rows), reader.reduction.plane
    edges = [rows * part // count for part in range(count + 1)]
    pieces = [[(a + low, a + high) for low, high in slices(b - a, reader.slice_size)] for a, b in pairwise(edges)]
    if plane.traits.counts or plane.traits.total == "any":
        pieces = [list(chain(*pieces))] * count  # one list: what was read last, to find the ends, is in the caches yet
    else:
        pieces = [each[::-1] for each in pieces]
    found: list[Planes] = [()] * count

    def take(part: int) -> int:
        tally, done = PointTally.of(reader, crew.cancel), 0
        for first, last in _popped(pieces[part]):
            crew.cancel.check()
            tally.add(first, last)
            done += last - first
        found[part] = tally.planes()
        return done

    crew.run("drawing rows", take, range(count), rows)
    return _combined(plane, found, crew)


def _popped(pieces: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Pieces from the end of a list, which several threads may take them from."""
    while pieces:
        try:
            piece = pieces.pop()
        except IndexError:  # another one took the last
            return
        yield piece


def _combined(plane: Reduction, found: list[Planes], crew: Crew) -> Planes:
    """Planes of consecutive parts as those of all rows: cell by cell, on all threads."""
    if len(found) == 1:
        return found[0]
    flat = [tuple(each.reshape(-1) for each in planes) for planes in found]

    def combine(piece: tuple[int, int]) -> int:
        first, *others = (tuple(each[piece[0] : piece[1]] for each in planes) for planes in flat)
        for other in others:
            plane.combine(first, other)
        return piece[1] - piece[0]

    cells = flat[0][0].size
    crew.run("drawing rows", combine, slices(cells, _CELLS), cells)
    return found[0]
