"""The pyramid of a layer: the planes of every tile that is too large to be scanned on request.

A square tile of more rows than cells (65,536; more where planes are costly) is made from its four children, and a child
of fewer rows is scanned at its parent's resolution, so that every row is read once. A tile whose axes are at different
levels is made of the squares of the finer level, or, where it holds many times as many rows, from its two halves. What
was made is kept, so a pyramid answers before it is complete: a tile is then made from what is there, and what is
missing below it is made on the way. How a tile is made depends on its rows alone, so its bits are always the same.

A tile whose rows are few piles is not kept: counting leaps over a pile, and a pile's other accumulators are those of
the one cell of its tile at the deepest level.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.quadtree import Ranges, cells_of, cells_within, count_cells, positions_of, ranges_within
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, open_block, run_end
from bigviz.tiles.pyramid.accumulators import Kept, Pair, add_block, add_kept, halved, keep, pooled, revive, revive_cell
from bigviz.tiles.pyramid.counted_tile import counted_tile
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.plane_store import MemoryShelf, Shelf
from bigviz.wire.codec import SIDE

__all__ = ["Pyramid", "square_of"]

Array = npt.NDArray[Any]

_CHUNK: Final = 1 << 17  # rows whose cells and values a thread takes at a time: they stay in its cache
_FEW: Final = 1024  # a tile of so few runs of equal cells is counted on request, however many rows they hold
_FEW_APART: Final = 2 * _FEW
_NEAR: Final = 16  # rows within which the end of a run is looked for one by one
_AT_ONCE: Final = 1 << 20  # rows that are counted sooner than what is kept of parts of them is found and added
_MOST_HALVINGS: Final = 4
_MOST_COUNTED: Final = 1 << 24  # rows of a tile with axes at different levels that are counted on request
_MOST_PILES: Final = 256  # that a tile with axes at different levels is put together from


@dataclass
class Work:
    """One computation: what it calls between slices of a few milliseconds, its flag, and the rows it has read."""

    look: Callable[[], None]
    cancel: Cancel
    rows: int = 0


class Pyramid:
    """Sorted keys, the inputs of a reduction, and the planes of large tiles. Safe to use from any number of threads."""

    def __init__(self, guard: SortedKeys, inputs: Inputs, shelf: Shelf | None = None) -> None:
        self.guard, self.inputs = guard, inputs
        self.shelf: Shelf = MemoryShelf() if shelf is None else shelf

    @property
    def nbytes(self) -> int:
        """Bytes of memory held by the planes."""
        return self.shelf.nbytes

    def kept(self, tile: TileKey) -> Kept | None:
        """The stored planes of a tile, if it has some."""
        return self.shelf.get(tile)

    def scan(self, tile: TileKey, cancel: Cancel = NEVER) -> tuple[Planes, int]:
        """The accumulators of a tile, and the rows read for them. Raises Cancelled, Unreadable.

        Rows that are counted are counted once, into the tile alone: whoever waits for it waits for no tile below it.
        """
        work = Work(cancel.check, cancel)
        planes = self._counted(tile, work) if self.inputs.counts_rows and not self.shelf.whole else None
        return self.make(tile, work) if planes is None else planes, work.rows

    def counted(self, tile: TileKey, cancel: Cancel = NEVER) -> tuple[npt.NDArray[np.uint32], int] | None:
        """The same of few rows that are counted, in a plane that the thread's next call overwrites; None of others."""
        cancel.check()
        return counted_tile(self.guard, tile) if self.inputs.counts_rows else None

    def add(self, tile: TileKey, planes: Planes, work: Work) -> None:
        """Add a tile to accumulators of at least as many categories, as if its rows came after those."""
        planes = tuple(plane[: len(self.inputs.labels or ())] for plane in planes) if planes[0].ndim > 2 else planes
        kept = self.shelf.get(tile)
        if kept is not None:
            work.look()
            add_kept(self.inputs.reduction, self.inputs.dtype, kept, planes, (0, 0), (0, 0))
            return
        if tile.zx == tile.zy:
            low, high = self.span(tile)
            if not self.is_large(tile, low, high):
                self._add_range(tile, low, high, planes, work)
                return
        elif not self._half_tells(tile):
            ranges = ranges_within(self.guard, tile.codes, work.cancel)
            if not self.is_large_apart(tile, ranges):
                self._add(tile, ranges, planes, work)
                return
        self.inputs.reduction.combine(planes, self.make(tile, work))

    def add_halved(self, tile: TileKey, planes: Planes, place: Pair, less: Pair, work: Work) -> None:
        """The same of a tile that is halved `less` times along y and along x, from row and column `place` on."""
        planes = tuple(plane[: len(self.inputs.labels or ())] for plane in planes) if planes[0].ndim > 2 else planes
        kept = self.shelf.get(tile)
        if kept is not None:
            work.look()
            add_kept(self.inputs.reduction, self.inputs.dtype, kept, planes, place, less)
        else:
            add_block(self.inputs.reduction, halved(self.inputs.reduction, self.make(tile, work), less), planes, place)

    def make(self, tile: TileKey, work: Work) -> Planes:
        """The accumulators of a tile, from what is kept and from rows; large tiles made on the way are kept."""
        planes = self.revived(tile, work)
        if planes is not None:
            return planes
        if tile.zx == tile.zy:
            return self._square(tile, *self.span(tile), work)
        if self._half_tells(tile):
            return self._of_halves(tile, work)
        return self._apart(tile, ranges_within(self.guard, tile.codes, work.cancel), work)

    def _counted(self, tile: TileKey, work: Work) -> Planes | None:
        """The rows of a tile that is not kept, counted; None where it takes less to make and keep what is below it."""
        planes = self.inputs.create()
        if tile.zx == tile.zy:
            self._count(tile, tile, *self.span(tile), planes, work)
            return planes
        ranges = ranges_within(self.guard, tile.codes, work.cancel)
        if ranges.rows > _MOST_COUNTED:
            return None
        work.rows += ranges.rows
        count_cells(self.guard, ranges, tile, planes[0], work.cancel)
        return planes

    def _count(self, tile: TileKey, part: TileKey, low: int, high: int, planes: Planes, work: Work) -> None:
        """Count the rows `low` to `high` of a square `part` of a square tile, or add what is kept of it."""
        less = part.zx - tile.zx
        kept = self.shelf.get(part)
        if kept is not None:
            place = (part.j - (tile.j << less)) * (SIDE >> less), (part.i - (tile.i << less)) * (SIDE >> less)
            add_kept(self.inputs.reduction, self.inputs.dtype, kept, planes, place, (less, less))
        elif high - low <= _AT_ONCE or less == _MOST_HALVINGS or part.zx == DEEPEST:
            self._add(tile, Ranges.one(low, high), planes, work)
        else:
            cuts = self.cuts(part, low, high)
            for quarter in range(4):
                self._count(tile, part.quarter(quarter), cuts[quarter], cuts[quarter + 1], planes, work)

    def span(self, tile: TileKey) -> tuple[int, int]:
        """The first and the end position of the rows of a square tile."""
        return self.guard.span(*tile.keys)

    def cuts(self, tile: TileKey, low: int, high: int) -> list[int]:
        """The five positions that separate the quarters of a square tile: low y low x, low y high x, high y ..."""
        step = 62 - 2 * tile.zx
        inner = [self.guard.lower_bound(low, high, 4 * tile.morton + quarter << step) for quarter in (1, 2, 3)]
        return [low, *inner, high]

    def is_large(self, tile: TileKey, low: int, high: int) -> bool:
        """Whether a square tile is kept."""
        if high - low <= self.inputs.many:
            return False
        if self.inputs.counts_rows:  # exact in either way, so those of a whole pyramid are not looked at
            return not self.shelf.whole and self._runs(Ranges.one(low, high), DEEPEST - tile.zx, _FEW) > _FEW
        return not self._is_pile(low, high)

    def is_large_apart(self, tile: TileKey, ranges: Ranges) -> bool:
        """Whether a tile with axes at different levels, of these ranges of rows, is kept."""
        most = self.inputs.many_apart
        if ranges.rows <= most:
            return False
        if self.inputs.counts_rows:
            return not self.shelf.whole and self._runs(ranges, DEEPEST - max(tile.zx, tile.zy), _FEW_APART) > _FEW_APART
        big = self._big(ranges)
        ends = zip(ranges.low[big].tolist(), ranges.high[big].tolist(), strict=True)
        piles = [high - low for low, high in ends if self._is_pile(low, high)]
        return ranges.rows - sum(piles) > most or len(piles) > _MOST_PILES

    def few_spots(self, low: Array, high: Array) -> bool:
        """Whether the rows of ranges are on so few places that no tile of them, of any level, needs to be kept."""
        ranges = Ranges(low, high, np.ones(len(low), np.bool_))
        return self.inputs.counts_rows and self._runs(ranges, 0, _FEW) <= _FEW

    def revived(self, tile: TileKey, work: Work) -> Planes | None:
        """The accumulators of a tile that is kept."""
        kept = self.shelf.get(tile)
        return None if kept is None else revive(self.inputs.reduction, kept, self.inputs.dtype, work.cancel)

    def _keep(self, tile: TileKey, planes: Planes, work: Work) -> None:
        self.shelf.put(tile, keep(self.inputs.reduction, planes, work.look))

    def _square(self, tile: TileKey, low: int, high: int, work: Work) -> Planes:
        """A square tile of the rows `low` to `high`, not kept so far."""
        inputs = self.inputs
        if not self.is_large(tile, low, high):
            planes = inputs.create(look=work.look)
            self._add_range(tile, low, high, planes, work)
            return planes
        below: dict[int, Planes] = {}
        cuts = self.cuts(tile, low, high) if tile.zx < DEEPEST else [low, high]
        for quarter in range(len(cuts) - 1):
            child, start, stop = tile.quarter(quarter), cuts[quarter], cuts[quarter + 1]
            if len(cuts) > 2 and self.is_large(child, start, stop):
                made = self.revived(child, work)
                made = self._square(child, start, stop, work) if made is None else made
                below[quarter] = pooled(inputs.reduction, made, True, True, work.look)
        planes = inputs.create(look=work.look)
        half = SIDE // 2
        for quarter in range(len(cuts) - 1):
            if quarter in below:
                row, column = 0 if quarter >= 2 else half, half if quarter % 2 else 0
                for plane, part in zip(planes, below[quarter], strict=True):
                    plane[..., row : row + half, column : column + half] = part
            else:
                self._add_range(tile, cuts[quarter], cuts[quarter + 1], planes, work)
        self._keep(tile, planes, work)
        return planes

    def _apart(self, tile: TileKey, ranges: Ranges, work: Work) -> Planes:
        """A tile with axes at different levels, not kept so far."""
        inputs = self.inputs
        if not self.is_large_apart(tile, ranges):
            planes = inputs.create(look=work.look)
            self._add(tile, ranges, planes, work)
            return planes
        return self._of_halves(tile, work)

    def _half_tells(self, tile: TileKey) -> bool:
        """Whether a tile with axes at different levels is known to be large, because half of it is.

        The ranges of both are squares of the same level, so nothing that makes the half large can be missing in the
        whole. The ranges of such a tile are many, and need not be found.
        """
        if abs(tile.zx - tile.zy) == 1:
            return False
        halves = (tile.half(tile.zx < tile.zy, upper) for upper in (False, True))
        return any(self.shelf.get(half) is not None for half in halves)

    def _of_halves(self, tile: TileKey, work: Work) -> Planes:
        """A large tile with axes at different levels."""
        along_x = tile.zx < tile.zy
        parts: list[Planes | Ranges] = []
        for upper in (False, True):
            made = self.half(tile.half(along_x, upper), work)
            parts.append(made if isinstance(made, Ranges) else self.pooled(made, along_x, work))
        return self.join(tile, parts, work)

    def pooled(self, planes: Planes, along_x: bool, work: Work) -> Planes:
        """A half of a tile in the tile's cells."""
        return pooled(self.inputs.reduction, planes, along_x, not along_x, work.look)

    def join(self, tile: TileKey, parts: Sequence[Planes | Ranges], work: Work) -> Planes:
        """A large tile with axes at different levels, of its lower and its upper half, each either `pooled` or, where
        it is not large, given by its ranges of rows. The tile is kept."""
        along_x = tile.zx < tile.zy
        planes = self.inputs.create(look=work.look)
        middle = SIDE // 2
        for number, part in enumerate(parts):
            if isinstance(part, Ranges):
                self._add(tile, part, planes, work)
                continue
            start = middle * number if along_x else middle * (1 - number)
            place = slice(start, start + middle)
            for plane, added in zip(planes, part, strict=True):
                plane[(..., place) if along_x else (..., place, slice(None))] = added
        self._keep(tile, planes, work)
        return planes

    def half(self, tile: TileKey, work: Work) -> Planes | Ranges:
        """The accumulators of a tile that is large, else its ranges of rows."""
        made = self.revived(tile, work)
        if made is not None:
            return made
        if tile.zx == tile.zy:
            low, high = self.span(tile)
            return self._square(tile, low, high, work) if self.is_large(tile, low, high) else Ranges.one(low, high)
        if self._half_tells(tile):
            return self._of_halves(tile, work)
        ranges = ranges_within(self.guard, tile.codes, work.cancel)
        return self._apart(tile, ranges, work) if self.is_large_apart(tile, ranges) else ranges

    def _add_range(self, tile: TileKey, low: int, high: int, planes: Planes, work: Work) -> None:
        """The same as `_add` for the rows of a square tile, or of a square part of it: few are added in a tenth of the
        time, which counts where a tile has rows in a dozen parts."""
        if self.inputs.counts_rows:
            work.rows += high - low
            work.look()
            count_cells(self.guard, Ranges.one(low, high), tile, planes[0], work.cancel)
        elif high - low <= self.inputs.many:
            work.rows += high - low
            self._add_run(tile, low, high, planes, work)
        else:  # perhaps a pile
            self._add(tile, Ranges.one(low, high), planes, work)

    def _add(self, tile: TileKey, ranges: Ranges, planes: Planes, work: Work) -> None:
        """Add the rows of ranges that `ranges_within` found for the tile, or for a part of it."""
        if self.inputs.counts_rows and (tile.zx == tile.zy or ranges.rows <= self.inputs.many):  # no range stands out
            work.rows += ranges.rows
            work.look()
            count_cells(self.guard, ranges, tile, planes[0], work.cancel)
            return
        rest = np.ones(len(ranges.low), np.bool_)
        for k in np.flatnonzero(self._big(ranges)).tolist():
            low, high = int(ranges.low[k]), int(ranges.high[k])
            if not self.inputs.counts_rows and self._is_pile(low, high):
                self._add_pile(tile, low, high, planes, work)
                rest[k] = False
            elif tile.zx != tile.zy and self._add_square(tile, low, high, planes, work):
                rest[k] = False
        if not rest.all():
            ranges = Ranges(ranges.low[rest], ranges.high[rest], ranges.whole[rest])
        work.rows += ranges.rows
        if self.inputs.counts_rows:
            work.look()
            count_cells(self.guard, ranges, tile, planes[0], work.cancel)
        else:
            self._add_values(tile, ranges, planes, work)

    def _add_values(self, tile: TileKey, ranges: Ranges, planes: Planes, work: Work) -> None:
        long = ranges.whole & (ranges.high - ranges.low > _CHUNK // 4)
        for low, high in zip(ranges.low[long].tolist(), ranges.high[long].tolist(), strict=True):
            self._add_run(tile, low, high, planes, work)
        lows, highs = ranges.low[~long], ranges.high[~long]
        ends = np.cumsum(highs - lows) // _CHUNK
        for part in np.split(np.arange(len(ends)), np.flatnonzero(np.diff(ends)) + 1):
            work.look()
            positions = positions_of(lows[part], highs[part])
            self.inputs.append(planes, cells_of(self.guard.keys.take(positions), tile), positions)

    def _add_run(self, tile: TileKey, low: int, high: int, planes: Planes, work: Work) -> None:
        """Add the rows of a part of a whole range."""
        for start in range(low, high, _CHUNK):
            work.look()
            stop = min(start + _CHUNK, high)
            cells = cells_within(self.guard, start, stop, tile, _scratch.cells)
            self.inputs.append(planes, cells, slice(start, stop))

    def _add_pile(self, tile: TileKey, low: int, high: int, planes: Planes, work: Work) -> None:
        """Add rows of one key, which are those of a tile at the deepest level."""
        keys = self.guard.keys.take(slice(low, low + 1))
        deepest = square_of(DEEPEST, int(keys[0]) >> 64 - 2 * DEEPEST)
        kept = self.shelf.get(deepest)
        if kept is None:
            whole = self.inputs.create(look=work.look)
            self._add_values(deepest, Ranges.one(low, high), whole, work)
            work.rows += high - low
            kept = keep(self.inputs.reduction, whole, work.look)
            self.shelf.put(deepest, kept)
        cell = int(cells_of(keys, tile)[0])
        place = (..., slice(cell // SIDE, cell // SIDE + 1), slice(cell % SIDE, cell % SIDE + 1))
        one = revive_cell(self.inputs.reduction, kept, self.inputs.dtype)
        self.inputs.reduction.combine(tuple(plane[place] for plane in planes), one)

    def _add_square(self, tile: TileKey, low: int, high: int, planes: Planes, work: Work) -> bool:
        """Add a large square of the finer level, halved on the coarser axis as often as the levels differ."""
        level = max(tile.zx, tile.zy)
        square = square_of(level, int(self.guard.keys.take(slice(low, low + 1))[0]) >> 64 - 2 * level)
        apart = abs(tile.zx - tile.zy)
        halvings = min(apart, SIDE.bit_length() - 1)
        if tile.zx > tile.zy:
            below = SIDE * (square.row - (tile.row << apart)) >> apart
            place, less = (SIDE - below - (SIDE >> halvings), 0), (halvings, 0)
        else:
            place, less = (0, SIDE * (square.i - (tile.i << apart)) >> apart), (0, halvings)
        inputs = self.inputs
        kept = self.shelf.get(square)
        if kept is not None:
            work.look()
            add_kept(inputs.reduction, inputs.dtype, kept, planes, place, less)
        elif self.is_large(square, low, high):
            made = self._square(square, low, high, work)
            add_block(inputs.reduction, halved(inputs.reduction, made, less), planes, place)
        else:
            return False
        return True

    def _big(self, ranges: Ranges) -> npt.NDArray[np.bool_]:
        """Which ranges are whole and of so many rows that a square of them may be large."""
        big: npt.NDArray[np.bool_] = ranges.whole & (ranges.high - ranges.low > self.inputs.many)
        return big

    def _is_pile(self, low: int, high: int) -> bool:
        first, last = self.guard.keys.take(np.array([low, high - 1]))
        return bool(first == last)

    def _runs(self, ranges: Ranges, bits: int, most: int) -> int:
        """Runs of equal keys, the lower `bits` of each axis left out, or more than `most` once that is sure."""
        found = _runs(self.guard.fenced, frozen(ranges.low), frozen(ranges.high), 2 * bits, most)
        self.guard.keys.check()
        return int(found)


class _Scratch(threading.local):
    """Room for the cells of a chunk of rows, for each thread: a new array costs page faults, which take as long as
    filling it."""

    def __init__(self) -> None:
        self.cells = np.empty(_CHUNK, np.int32)


_scratch = _Scratch()


def square_of(level: int, morton: int) -> TileKey:
    """The square tile at a place of its level in Morton order."""
    i, row = int(compact(np.uint64(morton))), int(compact(np.uint64(morton >> 1)))
    return TileKey(level, level, i, (1 << level) - 1 - row)


@jit
def _runs(fenced: Fenced, lows: Array, highs: Array, shift: int, most: int) -> int:
    """Runs of keys that agree above `shift` bits, or one more than `most`; short runs are compared row by row."""
    keys, bits = fenced.keys, np.uint64(shift)
    runs = 0
    for r in range(lows.size):
        at = lows[r]
        high = highs[r]
        while at < high and runs <= most:
            open_block(fenced, at >> 13)
            stop = min(((at >> 13) + 1) << 13, high)
            while at < stop and runs <= most:
                head = keys[at] >> bits
                end = at + 1
                near = min(at + _NEAR, stop)
                while end < near and keys[end] >> bits == head:
                    end += 1
                at = run_end(fenced, at, high, bits) if end == near else end
                runs += 1
    return runs
