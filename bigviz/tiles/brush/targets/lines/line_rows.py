"""A line of the rows of a brush: the series of those that are in it, decimated as any line is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.brush.linked import LineInBrush
from bigviz.tiles.brush.orders.position_ranges import Picked, parts_of
from bigviz.tiles.brush.orders.source_order import Change, SourceOrder
from bigviz.tiles.brush.targets.in_order import AxisNumbers
from bigviz.tiles.brush.targets.lines.line_blocks import LineBlocks, RowsBeside
from bigviz.tiles.brush.targets.lines.line_places import Places
from bigviz.tiles.grid.window import Number, check_window
from bigviz.tiles.series.m4 import Picks, column_bounds, pick_rows
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.series import (
    Series,
    Tree,
    fill_gaps,
    find_extremes,
    gap_edges,
    raise_tree,
    tree_starts,
)  # fmt: skip
from bigviz.tiles.series.sorted_numbers import ascending

__all__ = ["LineRows"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number, int]
Numbers = Callable[[Array], npt.NDArray[np.int64]]
Each = Callable[[int, Callable[[int], None]], None]

_BLOCK: Final = 1 << 16


class LineRows:
    """A line's rows in the closed window `[x0, x1]` of `width` pixels: of a line without gaps by blocks of the source's
    order, of one with gaps by a byte a row, which says whether it is in the brush. It shows nothing before `begin`."""

    def __init__(
        self,
        axes: tuple[Axis, Axis],
        series: Series,
        places: Places,
        heights: AxisNumbers | None,
        numbers: Numbers,
        window: Window,
    ) -> None:
        """`heights` are the y of the rows of the source's order; None for a line with gaps, and one without rows."""
        self._axes, self._series, self._places, self._numbers = axes, series, places, numbers
        self._heights, self._whole = heights, heights is not None
        self._inside = np.zeros(0 if self._whole else len(series), np.uint8)
        self._blocks: LineBlocks | None = None
        self._failed, self._bits = np.empty(0, np.uint8), np.uint8(0)
        check_window(*window[:2], "x")
        self._window = window

    @property
    def exact(self) -> bool:
        """True: it has no cell that waits to be counted again."""
        return True

    @property
    def nbytes(self) -> int:
        """Bytes of memory of what changes."""
        return int(self._inside.nbytes) + (0 if self._blocks is None else self._blocks.nbytes)

    @property
    def by_ranges(self) -> bool:
        """Whether rows of ranges are added with no room for something of each of them."""
        return self._whole

    def begin(self, failed: Array | None, spared: int, crew: Crew) -> None:
        """Make it ready to be shown. `failed` and `spared` are those of the other brushes (see `MovingBrush`)."""
        if failed is not None:
            self._failed, self._bits = failed, np.uint8(255 & ~spared)
        self.show(self._window, crew)

    def show(self, window: Window, crew: Crew) -> None:
        """Show another window of the line. Raises what the crew does; then it shows the one before."""
        x0, x1, width = window
        check_window(x0, x1, "x")
        bounds = column_bounds(self._series.x, x0, x1, width)
        if self._heights is not None:
            beside = RowsBeside(self._places.places, self._heights.values, self._failed, self._bits)
            self._blocks = LineBlocks(beside, self._series, bounds, crew)
        self._window, self._bounds = window, bounds

    def add(self, worker: int, picked: Picked, sign: int) -> None:
        """Add rows, or take them away."""
        if not self._whole:
            _mark(picked.take(self._places.places), np.uint8(sign > 0), self._inside)

    def merge(self) -> None:
        """All workers have added what they had: nothing is left to do."""

    def clear(self) -> None:
        """Take all rows away."""
        self._inside[:] = 0

    def columns(self, order: SourceOrder, change: Change, each: Each, cancel: Cancel = NEVER) -> Columns:
        """The decimated rows of the window in a brush, of the source's ranges `change`, as `Engine.columns` has them of
        all rows; `each(count, work)` calls work on several threads."""
        begun = time.perf_counter()
        series = self._series
        cancel.check()
        if self._blocks is not None:
            picks = self._blocks.picks(order, change, each, cancel)
            positions = picks.positions
        else:
            kept = self._kept(self._inside)
            picks = self._picks(kept, np.searchsorted(kept, self._bounds).astype(np.int64))
            positions = kept[picks.positions]
        rows = self._numbers(series.numbers(positions))
        cost = Cost(0, microseconds(time.perf_counter() - begun), 0, len(rows), len(rows) * series.y.itemsize)
        return Columns(
            picks.columns, picks.runs, rows, picks.x, picks.y, self._window[2], picks.flagged.tolist(), self._axes, cost
        )

    @property
    def picks_at_once(self) -> bool:
        """Whether `columns` costs less than to list all rows in the brush: the line has no gaps."""
        return self._whole

    def in_brush(self, order: SourceOrder, change: Change, cancel: Cancel = NEVER) -> LineInBrush:
        """All rows of the window in a brush, of the source's ranges `change`."""
        kept = self._kept(self._marked(order, change, cancel) if self._whole else self._inside)
        numbers = self._numbers(self._series.numbers(kept))
        base = int(numbers.min()) if len(numbers) else 0
        series = replace(self._series_of(kept), rows=(numbers - base).astype(np.uint32))
        return LineInBrush(Part(series, base, 0, self, 0), np.searchsorted(kept, self._bounds).astype(np.int64))

    def _marked(self, order: SourceOrder, change: Change, cancel: Cancel) -> Array:
        """A byte a row of a line without gaps, which says whether it is in the brush."""
        inside = np.zeros(len(self._series), np.uint8)
        for part in (part for ranges in change for part in parts_of(ranges)):
            cancel.check()
            positions = order.picked(part).positions()
            if len(self._failed):
                positions = positions[self._failed[positions] & self._bits == 0]
            _mark(self._places.places[positions], np.uint8(1), inside)
        return inside

    # What follows is for lines with gaps.

    def _kept(self, inside: Array) -> Array:
        """The positions in the brush of the window, and the nearest ones on each side."""
        first, stop = int(self._bounds[0]), int(self._bounds[-1])
        kept = np.flatnonzero(inside[first:stop]) + first
        return np.concatenate([self._outside(inside, first - 1, -1), kept, self._outside(inside, stop, 1)])

    def _outside(self, inside: Array, start: int, step: int) -> Array:
        """The nearest row of the brush that has a y, from a position on; the rows without one before it are gaps, of
        which one is enough."""
        series = self._series
        at = start
        found: list[int] = []
        while 0 <= at < len(series):
            stop = max(at - _BLOCK, -1) if step < 0 else min(at + _BLOCK, len(series))
            low, high = (stop + 1, at + 1) if step < 0 else (at, stop)
            values, known = series.heights(low, high)
            has = (values == values) if known is None else known
            places = np.flatnonzero(inside[low:high]) + low
            places = places[::-1] if step < 0 else places
            with_y = has[places - low]
            if not found and len(places) and not with_y[0]:
                found.append(int(places[0]))
            if with_y.any():
                found.append(int(places[np.argmax(with_y)]))
                break
            at = stop
        return np.array(sorted(found), np.int64)

    def _picks(self, kept: Array, bounds: Array) -> Picks:
        """The rows to draw of a line of some positions."""
        if not len(kept):
            empty, series = np.empty(0, np.int32), self._series
            return Picks(empty, empty, np.empty(0, np.int64), series.x.at(kept), series.y[:0], empty, 0)
        return pick_rows(self._series_of(kept), bounds)

    def _series_of(self, kept: Array) -> Series:
        """A line of some positions; its rows have no numbers."""
        series = self._series
        if not len(kept):
            nothing = Tree(np.empty((0, 2), series.y.dtype), np.empty((0, 2), np.uint32), np.empty((0, 2)), kept[:0])
            return Series(ascending(series.x.at(kept)), series.y[:0], ascending(kept), None, nothing, True)
        low, high = int(kept[0]), int(kept[-1]) + 1
        values, known = series.heights(low, high)
        ys = values[kept - low]
        mask = None if known is None else known[kept - low]
        if ys.dtype.kind == "f" and not (ys == ys).all():
            mask = ys == ys
        gaps = np.empty(0, np.int64) if mask is None else gap_edges(mask)
        if mask is not None and len(gaps) and ys.dtype.kind != "f":
            ys = ys.copy()
            fill_gaps(ys, mask, ys.dtype.type(0))
        starts = tree_starts(len(ys))
        found, places = np.empty((starts[-1], 2), ys.dtype), np.empty((starts[-1], 2), np.uint32)
        whole = slice(0, -(-len(ys) // 256))
        find_extremes(ys, mask if ys.dtype.kind != "f" else None, 0, found[whole], places[whole])
        raise_tree(starts, found, places)
        tree = Tree(found, places, np.empty((0, 2)), starts)
        xs = ascending(np.ascontiguousarray(series.x.at(kept)))
        return Series(xs, frozen(ys), ascending(gaps), None, tree, True)


@jit
def _mark(places: Array, value: np.uint8, inside: Array) -> None:
    """Two rows never share a place, so threads need not wait."""
    for k in range(places.size):
        if places[k] != np.uint32(0xFFFFFFFF):
            inside[places[k]] = value
