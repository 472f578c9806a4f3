"""A line of the rows of a brush: the series of those that are in it, decimated as any line is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.brush.orders.stretches import Picked
from bigviz.tiles.brush.targets.line_columns import ColumnRows, Members
from bigviz.tiles.grid.window import Number, check_window
from bigviz.tiles.series.m4 import Picks, column_bounds, pick_rows
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

__all__ = ["NOWHERE", "LineRows", "Places"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number, int]
Numbers = Callable[[Array], npt.NDArray[np.int64]]
Each = Callable[[int, Callable[[int], None]], None]

_BLOCK: Final = 1 << 16
_LOOKED: Final = 1 << 22  # rows of columns that a step looks through: a few milliseconds
NOWHERE: Final = np.uint32(0xFFFFFFFF)  # the place of a row that the line does not have


@dataclass(frozen=True, eq=False)
class Places:
    """Where the rows of a source's order lie in a line: positions of its series (uint32), and what their y is. Without
    `heights` the line has gaps."""

    places: Array
    heights: Array | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.places.nbytes) + (0 if self.heights is None else int(self.heights.nbytes))


class LineRows:
    """A line's rows, and which of them are in the brush, in the closed window `[x0, x1]` of `width` pixels. Workers may
    add rows at a time; `merge` is called after they have."""

    def __init__(
        self, axes: tuple[Axis, Axis], series: Series, places: Places, numbers: Numbers, window: Window, workers: int
    ) -> None:
        self._axes, self._series, self._places, self._numbers = axes, series, places, numbers
        self._members = Members(len(series), workers)
        self._workers = workers
        self.show(window)

    @property
    def exact(self) -> bool:
        """Whether no column waits to be looked through."""
        return self._columns is None or self._columns.exact

    @property
    def nbytes(self) -> int:
        """Bytes of memory of what changes."""
        return self._members.nbytes

    def show(self, window: Window) -> None:
        """Show another window of the line."""
        x0, x1, width = window
        check_window(x0, x1, "x")
        self._width = width
        self._bounds = column_bounds(self._series.x, x0, x1, width)
        whole = self._places.heights is not None and len(self._series) > 0
        self._columns = ColumnRows(self._series, self._bounds, self._members, self._workers) if whole else None

    def add(self, worker: int, picked: Picked, sign: int) -> None:
        """Add rows, or take them away."""
        places = picked.take(self._places.places)
        self._members.mark(worker, places, sign)
        if self._columns is not None and self._places.heights is not None:
            heights = picked.take(self._places.heights) if sign > 0 else self._places.heights[:0]
            self._columns.add(worker, frozen(places), frozen(heights), sign)

    def merge(self) -> None:
        """All workers have added what they had."""
        if self._columns is not None:
            self._columns.merge()

    def clear(self) -> None:
        """Take all rows away."""
        self._members.clear()
        if self._columns is not None:
            self._columns.clear()

    def settle(self, each: Each) -> None:
        """Look through all columns that wait."""
        if self._columns is not None:
            self._columns.refresh(each)

    def columns(self, each: Each, cancel: Cancel = NEVER) -> Columns:
        """The decimated rows of the window, as `Engine.columns` has them of all rows; `each(count, work)` calls work on
        several threads."""
        begun = time.perf_counter()
        series = self._series
        cancel.check()
        if self._columns is not None:
            self._columns.refresh(each, _LOOKED)
            picks = self._columns.picks()
            positions = picks.positions
        else:
            kept = self._kept()
            picks = self._picks(kept, np.searchsorted(kept, self._bounds).astype(np.int64))
            positions = kept[picks.positions]
        rows = self._numbers(series.numbers(positions))
        cost = Cost(0, microseconds(time.perf_counter() - begun), 0, len(rows), len(rows) * series.y.itemsize)
        return Columns(
            picks.columns, picks.runs, rows, picks.x, picks.y, self._width, picks.flagged.tolist(), self._axes, cost
        )

    # What follows is for lines with gaps.

    def _kept(self) -> Array:
        """The positions in the brush of the window, and the nearest ones on each side."""
        first, stop = int(self._bounds[0]), int(self._bounds[-1])
        kept = np.flatnonzero(self._members.inside[first:stop]) + first
        return np.concatenate([self._outside(first - 1, -1), kept, self._outside(stop, 1)])

    def _outside(self, start: int, step: int) -> Array:
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
            places = np.flatnonzero(self._members.inside[low:high]) + low
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
        series = self._series
        if not len(kept):
            empty = np.empty(0, np.int32)
            return Picks(empty, empty, np.empty(0, np.int64), series.x.at(kept), series.y[:0], empty, 0)
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
        return pick_rows(Series(xs, frozen(ys), ascending(gaps), None, tree, True), bounds)
